import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { CgroupError, errnoOf } from "./cgroup-error.js";

/** What a control file holds, without the last line feed. */
export function readControl(file: string): string {
  try {
    return readFileSync(file, "latin1").trimEnd();
  } catch (cause) {
    throw failure("cannot read", { file, cause });
  }
}

/** Undefined where there is no such file, and for files that answer that they have nothing to say here (EOPNOTSUPP). */
export function readControlIfAny(file: string): string | undefined {
  try {
    return readControl(file);
  } catch (error) {
    if (error instanceof CgroupError && (isAbsent(error.errno) || error.errno === "EOPNOTSUPP"))
      return undefined;
    throw error;
  }
}

/** One write(2), which is how the kernel takes a value. */
export function writeControl(file: string, value: string | number): void {
  try {
    // Without O_CREAT: a file that is not there is to be told as such.
    const descriptor = openSync(file, constants.O_WRONLY);
    try {
      writeSync(descriptor, String(value));
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw failure(`cannot write ${JSON.stringify(String(value))} to`, { file, value: String(value), cause });
  }
}

export function readNumber(file: string): number {
  return Number(readControl(file));
}

/** A limit: undefined where there is none. */
export function readLimit(file: string): number | undefined {
  return parseLimit(readControl(file));
}

/** v2 says `max`; v1 `-1`, or the highest number of pages that it counts to. */
export function parseLimit(text: string): number | undefined {
  const value = Number(text);
  return text === "max" || value < 0 || value >= 2 ** 62 ? undefined : value;
}

/** Lines of a name and a number. */
export function parseCounters(text: string): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) counters[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return counters;
}

export const readCounters = (file: string): Record<string, number> => parseCounters(readControl(file));

/** False when it is there already. */
export function makeDirectory(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST") return false;
    throw failure("cannot make", { file: directory, cause });
  }
}

/** Names of the groups in a group; none when it is gone. */
export function subdirectories(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (cause) {
    if (isAbsent(errnoOf(cause))) return [];
    throw failure("cannot list", { file: directory, cause });
  }
}

/** The group is gone; ENODEV when it went between open and read. */
export const isAbsent = (errno: string | undefined): boolean => errno === "ENOENT" || errno === "ENODEV";

interface FileFailure {
  readonly file: string;
  readonly value?: string;
  readonly cause: unknown;
}

export function failure(what: string, { file, value, cause }: FileFailure): CgroupError {
  return new CgroupError(`${what} ${file}: ${reasonOf(cause)}`, {
    file,
    value,
    errno: errnoOf(cause),
    cause,
  });
}

/** `EBUSY: resource busy or locked, rmdir '/x'` -> `resource busy or locked (EBUSY)`. */
function reasonOf(cause: unknown): string {
  const errno = errnoOf(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  if (errno === undefined) return text;
  return `${text.slice(errno.length + 2).replace(/, \w+( '.*')?$/s, "")} (${errno})`;
}
