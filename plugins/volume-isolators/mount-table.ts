import { readFileSync } from "node:fs";

/** One line of `/proc/self/mountinfo`; see proc(5). */
export interface MountEntry {
  readonly target: string;
  readonly type: string;
  /** Mounts that show up below its peers show up below this one, and the other way round. */
  readonly shared: boolean;
}

/** The mounts of this process's namespace, in the order in which they were made. Throws where the kernel does not tell. */
export function readMounts(text = readFileSync("/proc/self/mountinfo", "utf8")): MountEntry[] {
  const mounts: MountEntry[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const fields = line.split(" ");
    const end = fields.indexOf("-", 6);
    mounts.push({
      target: unescaped(fields[4] ?? ""),
      type: fields[end + 1] ?? "",
      shared: fields.slice(6, end).some((field) => field.startsWith("shared:")),
    });
  }
  return mounts;
}

/** The mount that a path, which has no symbolic links, lies in. */
export const mountOf = (path: string, mounts: readonly MountEntry[]): MountEntry | undefined =>
  mounts.findLast(({ target }) => isBelow(path, target));

const isBelow = (path: string, directory: string): boolean =>
  directory === "/" || path === directory || path.startsWith(`${directory}/`);

/** Blanks and backslashes are written in octal. */
const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
