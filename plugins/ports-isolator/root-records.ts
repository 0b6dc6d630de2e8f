import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRoot } from "./container-processes.js";

/** What the processes of containers are found by, kept for the next run of the agent. */
export class RootRecords {
  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
  }

  async save(id: string, root: ContainerRoot): Promise<void> {
    const path = join(this.directory, id);
    await writeFile(`${path}.new`, JSON.stringify(root));
    await rename(`${path}.new`, path);
  }

  async forget(id: string): Promise<void> {
    await rm(join(this.directory, id), { force: true });
  }

  /** Those of these containers; all others are forgotten. */
  async recover(known: ReadonlySet<string>): Promise<Map<string, ContainerRoot>> {
    const roots = new Map<string, ContainerRoot>();
    for (const id of await readdir(this.directory)) {
      const root = known.has(id) ? await this.load(id) : undefined;
      if (root === undefined) await this.forget(id);
      else roots.set(id, root);
    }
    return roots;
  }

  private async load(id: string): Promise<ContainerRoot | undefined> {
    try {
      const { pid, startTicks, cgroup } = JSON.parse(
        await readFile(join(this.directory, id), "utf8"),
      ) as Record<string, unknown>;
      if (typeof pid !== "number" || typeof startTicks !== "number") return undefined;
      return { pid, startTicks, cgroup: typeof cgroup === "string" ? cgroup : undefined };
    } catch {
      // Half of it was written when the host went down.
      return undefined;
    }
  }
}
