import { readFile, writeFile } from "node:fs/promises";
import type { ContainerExit } from "../../../sdk/contracts/containerizer.js";
import { errnoOf } from "../../../sdk/errors/index.js";

/** The processes of a container, each named for good by pid and start time. */
export interface ShimRecord {
  /** True when the shim serves this container alone, so that everything below it is the container's. */
  readonly dedicated: boolean;
  readonly shimPid: number;
  readonly shimStart: number;
  readonly pid: number;
  readonly start: number;
}

/** What a shim wrote of its container. */
export interface ContainerRecord {
  readonly shim: ShimRecord | undefined;
  /** The control group that holds the container together, where it has one. */
  readonly group: string | undefined;
  /** Set once the command ended. */
  readonly exit: ContainerExit | undefined;
  /** Why the command could not be started. */
  readonly failure: string | undefined;
}

/** Undefined when there is no record. */
export async function readContainerRecord(path: string): Promise<ContainerRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  return parseContainerRecord(text);
}

/** Lines `cgroup <path>`, `started <shim> <processes>`, then `failed <text>` or `exited <wait status>`; one that is cut off does not count. */
function parseContainerRecord(text: string): ContainerRecord {
  const lines = text.split("\n").slice(0, -1);
  const after = (word: string): string | undefined =>
    lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1);
  const status = after("exited");
  return {
    shim: parseShim(after("started") ?? ""),
    group: after("cgroup"),
    exit: status !== undefined && /^\d+$/.test(status) ? exitOf(Number(status)) : undefined,
    failure: after("failed"),
  };
}

/** Of a container without a shim: nobody will record its end. */
export async function writeAdopted(
  path: string,
  { pid, start, group }: { readonly pid: number; readonly start: number; readonly group: string | undefined },
): Promise<void> {
  const started = `started shared ${pid} ${start} ${pid} ${start}\n`;
  // In one write. A group without its processes would be taken for the rest of a launch, and be ended.
  await writeFile(path, group === undefined ? started : `${started}cgroup ${group}\n`);
}

function parseShim(text: string): ShimRecord | undefined {
  const [kind, ...numbers] = text.split(" ");
  const [shimPid, shimStart, pid, start] = numbers.map(Number);
  if (!shimPid || !pid) return undefined;
  return { dedicated: kind === "dedicated", shimPid, shimStart: shimStart ?? 0, pid, start: start ?? 0 };
}

/** Reads a status of wait(2): the signal in the low seven bits, else the exit code in the next byte. */
export function exitOf(waitStatus: number): ContainerExit {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? { code: (waitStatus >> 8) & 0xff, signal: undefined } : { code: undefined, signal };
}

export function waitStatusOf(exit: { code: number | null; signal: number | undefined }): number {
  return exit.signal !== undefined ? exit.signal & 0x7f : ((exit.code ?? 0) & 0xff) << 8;
}
