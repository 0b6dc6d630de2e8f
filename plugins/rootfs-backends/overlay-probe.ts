import { mkdtemp, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./processes.js";

/** Numbers that statfs(2) gives, of file systems that overlayfs may refuse to write on. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  1635083891: "aufs",
  2435016766: "btrfs",
  61791: "ecryptfs",
  61267: "ext4",
  1702057286: "fuse",
  26985: "nfs",
  2035054128: "overlay",
  16914836: "tmpfs",
  1481003842: "xfs",
  801189825: "zfs",
};

/**
 * Uses overlayfs as a container does, in a mount namespace of its own, of which nothing is left: a removed file must stay removed
 * (it does not where the file system tells no types in its directories, `d_type`), and so must what was in a directory that was
 * removed and made anew (it needs extended attributes).
 */
const SCRIPT = `
cd "$1" || exit 10
mkdir lower lower/dir upper work merged && : > lower/file && : > lower/dir/inside || exit 10
mount -t overlay -o "lowerdir=lower,upperdir=upper,workdir=work" overlay merged || exit 11
rm merged/file && [ -z "$(ls merged | grep file)" ] || exit 12
rm -r merged/dir && mkdir merged/dir && [ -z "$(ls merged/dir)" ] || exit 13
`;

/** Why overlayfs cannot have its upper layer below this directory; undefined: it can. */
export async function overlayProblem(directory: string): Promise<string | undefined> {
  const probe = await mkdtemp(join(directory, ".probe-"));
  try {
    const { status, complaint } = await runProgram("unshare", [
      ...["--mount", "--propagation", "private"],
      ...["sh", "-c", SCRIPT, "probe", probe],
    ]);
    if (status === 0) return undefined;
    const { type } = await statfs(directory);
    const where = `'${directory}', which is on ${FILE_SYSTEMS[type] ?? `a file system of type 0x${type.toString(16)}`}`;
    const why = complaint.replaceAll("\n", "; ");
    switch (status) {
      case 10:
        return `nothing can be made in ${where}: ${why}`;
      case 11:
        return type === 0x794c7630
          ? `overlayfs cannot be stacked on ${where}: put the work directory on another file system`
          : `overlayfs cannot be mounted with its upper layer in ${where}: ${why}`;
      case 12:
        return `directories of ${where}, do not tell the types of files (d_type; on XFS: mkfs.xfs -n ftype=1)`;
      case 13:
        return `${where}, keeps no extended attributes of the kind trusted`;
      default:
        return `overlayfs cannot be tried out: ${why || `unshare ended with ${status}`}`;
    }
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}
