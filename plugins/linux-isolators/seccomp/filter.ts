import { type Branch, testing } from "./argument-tests.js";
import {
  ARCHITECTURE,
  assemble,
  give,
  IF_AT_LEAST,
  IF_EQUAL,
  type Instruction,
  JUMP,
  load,
  NUMBER,
} from "./bpf.js";
import type { ActionName, ArgumentTest, ProfileRule, SeccompProfile } from "./profile.js";
import type { Architecture } from "./system-calls.js";

/** Facts that a profile's rules may depend on. */
export interface FilterFacts {
  /** The kernel's own architecture first. */
  readonly architectures: readonly Architecture[];
  /** Without `CAP_`: what processes of the container can ever have. */
  readonly capabilities: ReadonlySet<string>;
  /** `6.1.0-27-amd64` */
  readonly kernel: string;
}

const EPERM = 1;
/** linux/seccomp.h, SECCOMP_RET_* */
const RETURNS = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
} as const satisfies Record<ActionName, number>;

/**
 * A classic BPF program out of a profile: the bytes of its `sock_filter` array. Calls of an architecture that the profile does not list get its
 * default action. A call is found by halving, so that a check takes some nine steps however long the profile.
 */
export function compileFilter(profile: SeccompProfile, facts: FilterFacts): Buffer {
  const otherwise = returnOf(profile.defaultAction, profile.defaultErrnoRet);
  const program: Instruction[] = [load(ARCHITECTURE)];
  for (const architecture of listed(profile, facts.architectures)) {
    const section = sectionOf(profile, { facts, architecture, otherwise });
    // A section may be longer than a conditional jump reaches.
    program.push(
      { code: IF_EQUAL, k: architecture.audit, yes: 1, no: 0 },
      { code: JUMP, k: section.length },
      ...section,
    );
  }
  program.push(give(otherwise));
  return assemble(program);
}

function listed(profile: SeccompProfile, ours: readonly Architecture[]): readonly Architecture[] {
  const names = new Set(profile.architectures ?? []);
  for (const { architecture, subArchitectures } of profile.archMap ?? []) {
    if (architecture !== ours[0]?.name) continue;
    for (const name of [architecture, ...(subArchitectures ?? [])]) names.add(name);
  }
  // A profile that lists none means the host's own.
  return names.size === 0 ? ours.slice(0, 1) : ours.filter(({ name }) => names.has(name));
}

interface SectionOptions {
  readonly facts: FilterFacts;
  readonly architecture: Architecture;
  readonly otherwise: number;
}

function sectionOf(
  profile: SeccompProfile,
  { facts, architecture, otherwise }: SectionOptions,
): Instruction[] {
  const calls = new Map<number, Branch[]>();
  for (const rule of profile.syscalls ?? []) {
    if (!applies(rule, facts)) continue;
    const action = returnOf(rule.action, rule.errnoRet);
    const branches = alternatives(rule.args ?? []).map((tests) => ({ tests, action }));
    for (const name of [...(rule.names ?? []), ...(rule.name ? [rule.name] : [])]) {
      const number = architecture.numbers.get(name);
      // Profiles name calls of all architectures and of kernels to come.
      if (number === undefined) continue;
      const known = calls.get(number);
      if (known === undefined) calls.set(number, [...branches]);
      else known.push(...branches);
    }
  }
  const ranges = rangesOf(calls, otherwise);
  const limit = architecture.limit;
  return [
    load(NUMBER),
    ...(limit === undefined ? [] : [{ code: IF_AT_LEAST, k: limit, yes: 0, no: 1 }, give(otherwise)]),
    ...search(ranges, otherwise),
  ];
}

/** Several tests of one argument are alternatives, as runc reads them; of several arguments all must hold. */
function alternatives(tests: readonly ArgumentTest[]): ArgumentTest[][] {
  const indices = new Set(tests.map(({ index }) => index));
  return indices.size === tests.length ? [[...tests]] : tests.map((test) => [test]);
}

function applies(
  { includes, excludes }: ProfileRule,
  { architectures, capabilities, kernel }: FilterFacts,
): boolean {
  const own = architectures[0]?.shortName;
  const has = (name: string): boolean => capabilities.has(name.replace(/^CAP_/, ""));
  if (includes?.arches?.length && !includes.arches.includes(own ?? "")) return false;
  if (excludes?.arches?.includes(own ?? "")) return false;
  if (includes?.caps?.some((name) => !has(name))) return false;
  if (excludes?.caps?.some(has)) return false;
  if (includes?.minKernel && !atLeast(kernel, includes.minKernel)) return false;
  return !(excludes?.minKernel && atLeast(kernel, excludes.minKernel));
}

function atLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function returnOf(action: ActionName, errno: number | null | undefined): number {
  const value = RETURNS[action];
  const takesData = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return takesData ? (value | (errno ?? EPERM)) >>> 0 : value;
}

/** Calls from `first` up to the next range's, all treated alike. */
interface Range {
  readonly first: number;
  readonly code: readonly Instruction[];
}

/** The whole line of numbers, cut where the treatment changes. */
function rangesOf(calls: ReadonlyMap<number, readonly Branch[]>, otherwise: number): Range[] {
  const ranges: Range[] = [{ first: 0, code: [give(otherwise)] }];
  let plain: number | undefined = otherwise;
  const turn = (first: number, code: readonly Instruction[]): void => {
    if (ranges.at(-1)!.first === first) ranges.pop();
    ranges.push({ first, code });
  };
  let next = 0;
  for (const [number, branches] of [...calls].sort(([a], [b]) => a - b)) {
    if (number !== next && plain !== otherwise) {
      turn(next, [give(otherwise)]);
      plain = otherwise;
    }
    next = number + 1;
    const always = branches.find(({ tests }) => tests.length === 0);
    const action = always?.action;
    if (action !== undefined && branches.every((branch) => branch.action === action)) {
      if (action !== plain) turn(number, [give(action)]);
      plain = action;
    } else {
      turn(number, testing(branches, action ?? otherwise));
      plain = undefined;
    }
  }
  if (plain !== otherwise) turn(next, [give(otherwise)]);
  return ranges;
}

function search(ranges: readonly Range[], otherwise: number): Instruction[] {
  if (ranges.length === 0) return [give(otherwise)];
  if (ranges.length === 1) return [...ranges[0]!.code];
  const middle = ranges.length >> 1;
  const low = search(ranges.slice(0, middle), otherwise);
  const high = search(ranges.slice(middle), otherwise);
  return [
    { code: IF_AT_LEAST, k: ranges[middle]!.first, yes: 0, no: 1 },
    { code: JUMP, k: low.length },
    ...low,
    ...high,
  ];
}
