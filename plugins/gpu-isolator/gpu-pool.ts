import { TepuiError } from "../../sdk/errors/index.js";
import type { Gpu } from "./nvidia-host.js";

/** Who has which GPU: a whole one at a time, the lowest index first. */
export class GpuPool {
  private readonly owners = new Map<number, string>();
  private readonly byIndex: ReadonlyMap<number, Gpu>;

  constructor(gpus: readonly Gpu[]) {
    this.byIndex = new Map(gpus.map((gpu) => [gpu.index, gpu]));
  }

  of(containerId: string): Gpu[] {
    return [...this.byIndex.values()].filter(({ index }) => this.owners.get(index) === containerId);
  }

  /** Gives the container that many in all; what it has it keeps. Throws TEPUI_CONTAINER_LAUNCH_FAILED when too few are free. */
  resize(containerId: string, count: number): Gpu[] {
    const owned = this.of(containerId);
    for (const { index } of owned.slice(count)) this.owners.delete(index);
    const free = [...this.byIndex.keys()].filter((index) => !this.owners.has(index));
    const missing = count - owned.length;
    if (missing > free.length) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
        detail: `Requested ${missing} gpus but only ${free.length} available`,
      });
    }
    for (const index of free.slice(0, Math.max(0, missing))) this.owners.set(index, containerId);
    return this.of(containerId);
  }

  /** As it was before a restart. Indices that this agent no longer offers are left to the container and to nobody else. */
  restore(containerId: string, indices: readonly number[]): void {
    for (const index of indices) this.owners.set(index, containerId);
  }

  release(containerId: string): void {
    for (const [index, owner] of this.owners) if (owner === containerId) this.owners.delete(index);
  }
}
