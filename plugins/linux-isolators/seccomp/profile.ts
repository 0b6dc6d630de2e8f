import { z } from "zod";
import { TepuiError } from "../../../sdk/errors/index.js";

const COMPARISONS = [
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_EQ",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
] as const;

const ACTIONS = [
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_LOG",
  "SCMP_ACT_ALLOW",
] as const;

const errno = z.int().min(0).max(4095);
const condition = z.object({
  caps: z.array(z.string()).nullish(),
  arches: z.array(z.string()).nullish(),
  minKernel: z.string().nullish(),
});
const argument = z.object({
  index: z.int().min(0).max(5),
  value: z.int().min(0),
  valueTwo: z.int().min(0).nullish(),
  op: z.enum(COMPARISONS),
});
const rule = z.object({
  names: z.array(z.string()).nullish(),
  // The form of Docker before 1.13.
  name: z.string().nullish(),
  action: z.enum(ACTIONS),
  errnoRet: errno.nullish(),
  args: z.array(argument).nullish(),
  includes: condition.nullish(),
  excludes: condition.nullish(),
});
const schema = z.object({
  defaultAction: z.enum(ACTIONS),
  defaultErrnoRet: errno.nullish(),
  archMap: z
    .array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() }))
    .nullish(),
  architectures: z.array(z.string()).nullish(),
  syscalls: z.array(rule).nullish(),
});

export type ActionName = (typeof ACTIONS)[number];
/** One test of an argument of a system call; values are unsigned, of up to 64 bits. */
export type ArgumentTest = z.output<typeof argument>;
export type ProfileRule = z.output<typeof rule>;
/** A profile in Docker's format. */
export type SeccompProfile = z.output<typeof schema>;

/** Throws TEPUI_SECCOMP_PROFILE_INVALID that names the file and what is wrong in it. */
export function parseProfile(text: string, file: string): SeccompProfile {
  const invalid = (why: string): TepuiError =>
    new TepuiError("TEPUI_SECCOMP_PROFILE_INVALID", { detail: `'${file}': ${why}` });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw invalid(`${first!.path.join(".") || "it"}: ${first!.message}`);
}
