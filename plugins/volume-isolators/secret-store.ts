import { chmod, lstat, mkdir, readdir, rm, rmdir, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errnoOf } from "../../sdk/errors/index.js";

/** Types of statfs(2) of file systems that live in memory alone. */
const MEMORY: ReadonlySet<number> = new Set([0x0102_1994, 0x8584_58f6]);

/**
 * Files of secrets, in a directory that the agent's user alone can enter, on a file system in memory: nothing of them is ever on a disk.
 * They stay as long as their container does.
 */
export class SecretStore {
  private directory: string | undefined;

  /** @param candidates directories of this agent alone; the first that is in memory, or can be made there, is used */
  constructor(private readonly candidates: readonly string[]) {}

  /** False when none of the candidates is in memory. Rejects when the directory belongs to somebody else. */
  async open(): Promise<boolean> {
    for (const directory of this.candidates) {
      if (!(await inMemory(directory))) continue;
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Where everybody may make directories, somebody may have been faster.
      const found = await lstat(directory);
      if (!found.isDirectory() || found.uid !== process.geteuid?.())
        throw new Error(`'${directory}' belongs to user ${found.uid}: remove it`);
      await chmod(directory, 0o700);
      this.directory = directory;
      return true;
    }
    return false;
  }

  /** Leaves the files of containers that go on without the agent. */
  async close(): Promise<void> {
    if (this.directory === undefined) return;
    await rmdir(this.directory).catch((error: unknown) => {
      const left = errnoOf(error) === "ENOTEMPTY";
      if (!left) throw error;
    });
  }

  /** Removes what belongs to other containers. */
  async keep(containerIds: ReadonlySet<string>): Promise<void> {
    for (const id of await readdir(this.opened)) if (!containerIds.has(id)) await this.remove(id);
  }

  /** Host path of a new file that holds the secret; whoever comes to see the file may read it. */
  async write(containerId: string, { name, secret }: { name: string; secret: Buffer }): Promise<string> {
    const directory = join(this.opened, containerId);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, name);
    await writeFile(path, secret, { flag: "wx" });
    // Whatever the umask.
    await chmod(path, 0o644);
    return path;
  }

  async remove(containerId: string): Promise<void> {
    await rm(join(this.opened, containerId), { recursive: true, force: true });
  }

  private get opened(): string {
    if (this.directory === undefined) throw new Error("the store of secrets is not open");
    return this.directory;
  }
}

/** Of the directory, or of the nearest one above it that exists. */
async function inMemory(directory: string): Promise<boolean> {
  for (let path = directory; ; path = dirname(path)) {
    try {
      return MEMORY.has((await statfs(path)).type);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || path === "/") throw error;
    }
  }
}
