import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../sdk/errors/index.js";
import { detachMounts } from "./mounts.js";
import type { DiskOperation } from "./operations.js";

/** Trees per run of the program. */
const BATCH = 200;

interface Doomed {
  readonly path: string;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/**
 * Removes what tasks left behind: trees that may be huge, and in which anybody may have put anything.
 *
 * A tree is first moved aside, in order with all other changes of the disk, so that its name is free at once. It is then removed by `rm`,
 * which follows no links, even those put in its way while it works, and does not cross file systems. Mounts inside are detached first, so
 * that nothing mounted is ever entered.
 */
export class TreeRemover {
  private waiting: Doomed[] = [];
  private running: ChildProcess | undefined;
  private stopped = false;
  private oneFileSystem = ["--one-file-system"];

  constructor(
    private readonly options: {
      /** Where trees wait for removal; on the same file system as the trees. */
      readonly aside: string;
      readonly apply: (operations: readonly DiskOperation[]) => Promise<void>;
    },
  ) {}

  /** Resolves when nothing is left. A missing tree is no error. */
  async remove(path: string, boundary?: string): Promise<void> {
    const aside = join(this.options.aside, randomUUID());
    const move: DiskOperation = { op: "move-aside", from: path, path: aside, boundary };
    try {
      await this.options.apply([move]);
    } catch (error) {
      if (!messageOf(error).includes("EBUSY")) throw error;
      // Something is mounted on this very path.
      await detachMounts(path);
      await this.options.apply([move]);
    }
    await this.end(aside);
  }

  /** Removes what an earlier run moved aside. Rejects with the first tree that cannot be removed. */
  async resume(directory = this.options.aside): Promise<void> {
    const left = await readdir(directory).catch((): string[] => []);
    await Promise.all(left.map((name) => this.end(join(directory, name))));
  }

  /** Whatever is left is removed after the next start. */
  stop(): void {
    this.stopped = true;
    this.running?.kill("SIGKILL");
  }

  /** Removes what was moved aside. */
  async end(path: string): Promise<void> {
    if (!(await exists(path))) return;
    await detachMounts(path);
    await new Promise<void>((done, failed) => {
      this.waiting.push({ path, done, failed });
      this.next();
    });
  }

  private next(): void {
    if (this.running !== undefined || this.waiting.length === 0 || this.stopped) return;
    const batch = this.waiting.splice(0, BATCH);
    const child = spawn("rm", ["-rf", ...this.oneFileSystem, "--", ...batch.map(({ path }) => path)], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.running = child;
    let errors = "";
    child.stderr.on("data", (text: Buffer) => {
      if (errors.length < 2000) errors += text.toString();
    });
    const settle = (why: string): void => {
      if (this.running !== child) return;
      this.running = undefined;
      // The `rm` of small systems lacks the option. Mounts have been detached anyway.
      if (this.oneFileSystem.length > 0 && /(unrecognized|invalid|illegal) option/.test(why)) {
        this.oneFileSystem = [];
        this.waiting.unshift(...batch);
      } else {
        void settleBatch(batch, why);
      }
      this.next();
    };
    child.once("error", (error) => settle(error.message));
    child.once("close", () => settle(errors.trim()));
  }
}

/** A tree that cannot be removed says nothing about the others. */
async function settleBatch(batch: readonly Doomed[], why: string): Promise<void> {
  for (const { path, done, failed } of batch) {
    if (await exists(path)) failed(new Error(`'${path}' is not gone: ${why}`));
    else done();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}
