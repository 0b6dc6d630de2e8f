import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDirectory } from "../../sdk/files/index.js";

/** A plugin's own directory, created on first use. Without a work directory it is temporary, and removed at the end. */
export class StateDir {
  private created: Promise<string> | undefined;

  constructor(
    private readonly plugin: string,
    private readonly workDir: string | undefined,
  ) {}

  get(): Promise<string> {
    this.created ??= this.make();
    return this.created;
  }

  async dispose(): Promise<void> {
    if (this.workDir !== undefined || this.created === undefined) return;
    const dir = await this.created.catch(() => undefined);
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  }

  private async make(): Promise<string> {
    if (this.workDir === undefined) return mkdtemp(join(tmpdir(), `tepui-${this.plugin}-`));
    const dir = join(this.workDir, "plugins", this.plugin);
    await makeDirectory(dir, 0o700);
    return dir;
  }
}
