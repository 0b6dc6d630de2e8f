import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * An empty file for each container that this agent has made a cgroup for, written before the cgroup: several agents may share one
 * `--cgroups_root`, and only what has a mark is an agent's own to remove. Synchronous, as it costs some microseconds.
 */
export class Markers {
  /** @param directory of this agent alone */
  constructor(private readonly directory: string) {}

  prepare(): void {
    mkdirSync(this.directory, { recursive: true });
  }

  put(containerId: string): void {
    writeFileSync(join(this.directory, containerId), "");
  }

  remove(containerId: string): void {
    rmSync(join(this.directory, containerId), { force: true });
  }

  list(): string[] {
    return readdirSync(this.directory);
  }
}
