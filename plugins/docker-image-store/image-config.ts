import { z } from "zod";
import type { ImageConfig } from "../../sdk/contracts/image.js";
import { isDigest } from "./reference.js";
import { invalid, parseJson } from "./refusals.js";

/** The configuration of an image: how to run it, and what it is made of. */
export interface ConfigFile {
  readonly config: ImageConfig;
  /** Digests of the unpacked layers, the lowest first. Absent in images older than content addresses. */
  readonly diffIds: readonly string[] | undefined;
  readonly os: string | undefined;
  readonly architecture: string | undefined;
}

/** Builders leave fields out or write null for the same thing. */
const words = z
  .union([z.array(z.string()), z.string().transform((word) => [word])])
  .nullish()
  .transform((list) => list ?? []);
const word = z
  .string()
  .nullish()
  .transform((text) => text || undefined);
const file = z.object({
  os: word,
  architecture: word,
  config: z
    .object({
      Env: words,
      Entrypoint: words,
      Cmd: words,
      WorkingDir: word,
      User: word,
      Labels: z.record(z.string(), z.string()).nullish(),
      StopSignal: word,
    })
    .nullish(),
  rootfs: z.object({ diff_ids: z.array(z.string()).nullish() }).nullish(),
});

/**
 * Reads the configuration blob of Docker's and of OCI's images, which is the same.
 *
 * @throws TepuiError TEPUI_IMAGE_INVALID
 */
export function parseConfig(text: Buffer, what: string): ConfigFile {
  const parsed = file.safeParse(parseJson(text, what));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${what} is malformed: '${issue?.path.join(".")}': ${issue?.message}`);
  }
  const { os, architecture, config, rootfs } = parsed.data;
  const diffIds = rootfs?.diff_ids ?? undefined;
  const wrong = diffIds?.find((id) => !isDigest(id));
  if (wrong !== undefined) throw invalid(`${what} names the layer '${wrong}', which is no sha256 digest`);
  return {
    config: {
      environment: environmentOf(config?.Env ?? []),
      entrypoint: config?.Entrypoint ?? [],
      command: config?.Cmd ?? [],
      workingDirectory: config?.WorkingDir,
      user: config?.User,
      labels: config?.Labels ?? {},
      stopSignal: config?.StopSignal,
    },
    diffIds,
    os,
    architecture,
  };
}

/** What has no `=` is no variable; Mesos passes over it too. */
function environmentOf(lines: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const line of lines) {
    const equals = line.indexOf("=");
    if (equals > 0) environment[line.slice(0, equals)] = line.slice(equals + 1);
  }
  return environment;
}
