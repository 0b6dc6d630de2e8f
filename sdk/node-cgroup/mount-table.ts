import type { CgroupVersion } from "./cgroup.js";

/** One mounted cgroup file system. */
export interface CgroupMount {
  readonly version: CgroupVersion;
  readonly mountPoint: string;
  /** v1: names of the kernel's controllers in it, none for a named hierarchy such as systemd's. v2 says in `cgroup.controllers`. */
  readonly controllers: readonly string[];
}

/** Options of a v1 mount that are not controllers. */
const OPTIONS = new Set([
  "rw",
  "ro",
  "none",
  "noprefix",
  "clone_children",
  "cpuset_v2_mode",
  "xattr",
  "all",
  "favordynmods",
  "nofavordynmods",
]);

/** The cgroup mounts in the text of `/proc/<pid>/mountinfo`, see proc(5). Those that a later mount hides are left out. */
export function parseCgroupMounts(mountInfo: string): CgroupMount[] {
  const found = new Map<string, CgroupMount>();
  for (const line of mountInfo.split("\n")) {
    const [mount, superblock] = line.split(" - ");
    const mountPoint = mount?.split(" ")[4];
    const [type, , options] = superblock?.split(" ") ?? [];
    if (mountPoint === undefined || type === undefined) continue;
    const place = unescapeOctal(mountPoint);
    for (const hidden of found.keys()) if (isAtOrBelow(hidden, place)) found.delete(hidden);
    if (type === "cgroup2") found.set(place, { version: 2, mountPoint: place, controllers: [] });
    if (type === "cgroup")
      found.set(place, { version: 1, mountPoint: place, controllers: controllersOf(options ?? "") });
  }
  return [...found.values()];
}

export const isAtOrBelow = (place: string, directory: string): boolean =>
  place === directory || place.startsWith(directory.endsWith("/") ? directory : `${directory}/`);

const controllersOf = (options: string): string[] =>
  options.split(",").filter((option) => option !== "" && !option.includes("=") && !OPTIONS.has(option));

/** Spaces and the like stand as `\040`. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Whether the kernel has a controller switched on, by name, as `/proc/cgroups` says. */
export function parseKernelControllers(text: string): Map<string, boolean> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split("\t"))
      .map(([name, , , enabled]) => [name!, enabled === "1"]),
  );
}
