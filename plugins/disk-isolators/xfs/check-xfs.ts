import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { unavailableIsolation, unmetNeed } from "../../../sdk/isolation/index.js";
import { findXfsMount } from "./xfs-mounts.js";

const NAME = "disk/xfs";

/**
 * Rejects with TEPUI_ISOLATION_UNAVAILABLE where this host cannot count by project.
 *
 * @param paths the work directory, which is made, and the roots of disks
 */
export async function checkXfs({
  paths,
  enforce,
}: {
  paths: readonly string[];
  enforce: boolean;
}): Promise<void> {
  const unmet = unmetNeed({ root: true });
  if (unmet !== undefined) throw unavailableIsolation(NAME, unmet);
  for (const program of ["xfs_quota", "xfs_io"]) {
    await promisify(execFile)(program, ["-V"]).catch(() => {
      throw unavailableIsolation(NAME, `the program ${program}: install xfsprogs`);
    });
  }
  for (const path of paths) {
    await mkdir(path, { recursive: true });
    const mount = await findXfsMount(path);
    if ("lack" in mount) throw unavailableIsolation(NAME, mount.lack);
    if (enforce && !mount.enforcing) {
      throw unavailableIsolation(
        NAME,
        `limits that are kept on '${path}', whose file system only counts (pqnoenforce): mount '${mount.mountPoint}' with -o prjquota`,
      );
    }
  }
}
