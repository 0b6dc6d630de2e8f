import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerExit } from "../../sdk/contracts/containerizer.js";

/** The processes of a container, each named for good by pid and start time. */
export interface ShimRecord {
  /** True when the shim serves this container alone, so that everything below it is the container's. */
  readonly dedicated: boolean;
  readonly shimPid: number;
  readonly shimStart: number;
  readonly pid: number;
  readonly start: number;
}

/** What a shim wrote into its container's runtime directory. */
export interface ContainerRecord {
  readonly shim: ShimRecord | undefined;
  /** Set once the command ended. */
  readonly exit: ContainerExit | undefined;
  /** Why the command could not be started. */
  readonly failure: string | undefined;
}

export async function readContainerRecord(directory: string): Promise<ContainerRecord> {
  const [shim, status, failure] = await Promise.all(
    ["shim", "status", "failure"].map((name) => readIfThere(join(directory, name))),
  );
  return { shim: shim === undefined ? undefined : parseShim(shim), exit: parseStatus(status), failure };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function parseShim(text: string): ShimRecord | undefined {
  const [kind, ...numbers] = text.split(" ");
  const [shimPid, shimStart, pid, start] = numbers.map(Number);
  if (!shimPid || !pid) return undefined;
  return { dedicated: kind === "dedicated", shimPid, shimStart: shimStart ?? 0, pid, start: start ?? 0 };
}

function parseStatus(text: string | undefined): ContainerExit | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  return exitOf(Number(text));
}

/** Reads a status of wait(2): the signal in the low seven bits, else the exit code in the next byte. */
export function exitOf(waitStatus: number): ContainerExit {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? { code: (waitStatus >> 8) & 0xff, signal: undefined } : { code: undefined, signal };
}

export function waitStatusOf(exit: { code: number | null; signal: number | undefined }): number {
  return exit.signal !== undefined ? exit.signal & 0x7f : ((exit.code ?? 0) & 0xff) << 8;
}
