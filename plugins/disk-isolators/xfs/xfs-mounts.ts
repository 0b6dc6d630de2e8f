import { readFile, realpath } from "node:fs/promises";

interface Mount {
  readonly place: string;
  readonly type: string;
  /** Of the file system, not of the mount. */
  readonly options: readonly string[];
}

export interface XfsMount {
  readonly mountPoint: string;
  /** Limits are kept, not just counted. */
  readonly enforcing: boolean;
}

/** The XFS file system with project quotas that an existing path lies in; or why it does not, as the end of a sentence with how to change that. */
export async function findXfsMount(
  path: string,
  mountInfo?: string,
): Promise<XfsMount | { readonly lack: string }> {
  const real = mountInfo === undefined ? await realpath(path) : path;
  const text = mountInfo ?? (await readFile("/proc/self/mountinfo", "utf8"));
  const mount = parseMounts(text).findLast(
    ({ place }) => place === "/" || real === place || real.startsWith(`${place}/`),
  );
  if (mount?.type !== "xfs") {
    return {
      lack: `'${path}' on XFS, and it is on ${mount?.type ?? "no file system"}: make one with mkfs.xfs and mount it there with -o prjquota`,
    };
  }
  const option = (...names: string[]): boolean => names.some((name) => mount.options.includes(name));
  const enforcing = option("prjquota", "pquota");
  if (!enforcing && !option("pqnoenforce")) {
    return {
      lack: `project quotas on the XFS file system of '${path}': mount '${mount.place}' with -o prjquota, on a kernel with CONFIG_XFS_QUOTA`,
    };
  }
  return { mountPoint: mount.place, enforcing };
}

function parseMounts(text: string): Mount[] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [mount = "", fileSystem = ""] = line.split(" - ");
      const [type = "", , options = ""] = fileSystem.split(" ");
      return { place: unescaped(mount.split(" ")[4] ?? ""), type, options: options.split(",") };
    });
}

/** Blanks and backslashes are written in octal. */
const unescaped = (field: string): string =>
  field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
