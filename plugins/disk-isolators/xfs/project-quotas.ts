import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

const KB = 1024n;
/** Arguments of one process at most. */
const BATCH = 200;
const OUTPUT = 1 << 26;

/** Bytes; both 0: none. */
export interface ProjectLimit {
  readonly id: number;
  readonly soft: bigint;
  readonly hard: bigint;
}

/** What the kernel knows of directories that count as one, on one XFS file system each. */
export interface ProjectQuotas {
  /** Gives the id to a directory and all that it holds, now and later. Links and special files in it, which have none, are passed over. */
  assign(directory: string, of: { readonly mountPoint: string; readonly id: number }): Promise<void>;
  /** Ids of directories on XFS; undefined for those that have none. */
  idsOf(directories: readonly string[]): Promise<(number | undefined)[]>;
  limit(mountPoint: string, limits: readonly ProjectLimit[]): Promise<void>;
  /** Bytes in use by id. */
  usage(mountPoint: string): Promise<ReadonlyMap<number, bigint>>;
}

/** By xfs_quota(8) and xfs_io(8) of xfsprogs. */
export class XfsPrograms implements ProjectQuotas {
  async assign(directory: string, { mountPoint, id }: { mountPoint: string; id: number }): Promise<void> {
    // Its commands know no quotes: a path with blanks can only be given as the place where it runs.
    const { stderr } = await this.quota(mountPoint, [`project -s -p . ${id}`], directory);
    const problem = stderr
      .split("\n")
      .find((line) => line.trim() !== "" && !line.includes("skipping special file"));
    if (problem !== undefined) throw new Error(`project ${id} for '${directory}': ${problem}`);
  }

  async idsOf(directories: readonly string[]): Promise<(number | undefined)[]> {
    const ids: (number | undefined)[] = [];
    for (let at = 0; at < directories.length; at += BATCH) {
      const some = directories.slice(at, at + BATCH);
      const { stdout } = await run("xfs_io", ["-r", "-c", "lsproj", ...some], { maxBuffer: OUTPUT });
      const found = [...stdout.matchAll(/^projid = (\d+)$/gm)].map(([, id]) => Number(id) || undefined);
      if (found.length !== some.length) throw new Error(`xfs_io says '${stdout}' of ${some.join(", ")}`);
      ids.push(...found);
    }
    return ids;
  }

  async limit(mountPoint: string, limits: readonly ProjectLimit[]): Promise<void> {
    for (let at = 0; at < limits.length; at += BATCH) {
      const commands = limits
        .slice(at, at + BATCH)
        .map(({ id, soft, hard }) => `limit -p bsoft=${soft} bhard=${hard} ${id}`);
      const { stderr } = await this.quota(mountPoint, commands);
      if (stderr.trim() !== "") throw new Error(stderr.trim());
    }
  }

  async usage(mountPoint: string): Promise<ReadonlyMap<number, bigint>> {
    const { stdout, stderr } = await this.quota(mountPoint, ["report -p -n -N -b"]);
    if (stderr.trim() !== "") throw new Error(stderr.trim());
    const used = new Map<number, bigint>();
    for (const [, id, kilobytes] of stdout.matchAll(/^#(\d+)\s+(\d+)\s/gm)) {
      used.set(Number(id), BigInt(kilobytes!) * KB);
    }
    return used;
  }

  /** Not by the host's lists of projects, which could name others. */
  private quota(
    mountPoint: string,
    commands: readonly string[],
    cwd = "/",
  ): Promise<{ stdout: string; stderr: string }> {
    const each = commands.flatMap((command) => ["-c", command]);
    return run("xfs_quota", ["-x", "-D", "/dev/null", "-P", "/dev/null", ...each, mountPoint], {
      cwd,
      maxBuffer: OUTPUT,
      env: { PATH: process.env.PATH, LC_ALL: "C" },
    });
  }
}
