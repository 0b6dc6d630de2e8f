import type { ContainerStatus, ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";

/** `cgroups/all`: those that the host has controllers for, which is known when the plugin starts, as one isolator. */
export class AllIsolator implements Isolator {
  readonly name = "cgroups/all";
  readonly nesting = true;
  private parts: readonly Isolator[] = [];

  /** Once, before any container. */
  open(parts: readonly Isolator[]): void {
    this.parts = parts;
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    for (const part of this.parts) await part.recover?.(containers);
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const contributions: (Contribution | undefined)[] = [];
    for (const part of this.parts) contributions.push(await part.prepare?.(request));
    // No two of the family contribute the same field.
    return Object.assign({}, ...contributions);
  }

  async isolate(containerId: string, pid: number, plan: Contribution): Promise<void> {
    for (const part of this.parts) await part.isolate?.(containerId, pid, plan);
  }

  async update(containerId: string, to: ContainerUpdate): Promise<void> {
    for (const part of this.parts) await part.update?.(containerId, to);
  }

  async replan(containerId: string, plan: Pick<Contribution, "devices">): Promise<void> {
    for (const part of this.parts) await part.replan?.(containerId, plan);
  }

  async usage(containerId: string, pid: number): Promise<Partial<ResourceStatistics>> {
    return Object.assign(
      {},
      ...(await Promise.all(this.parts.map((part) => part.usage?.(containerId, pid)))),
    );
  }

  async status(containerId: string): Promise<Partial<ContainerStatus>> {
    return Object.assign({}, ...(await Promise.all(this.parts.map((part) => part.status?.(containerId)))));
  }

  watch(containerId: string, signal: AbortSignal): Promise<ContainerLimitation> {
    return Promise.race(this.parts.flatMap((part) => part.watch?.(containerId, signal) ?? []));
  }

  async verdict(containerId: string): Promise<ContainerLimitation | undefined> {
    for (const part of this.parts) {
      const limitation = await part.verdict?.(containerId);
      if (limitation !== undefined) return limitation;
    }
    return undefined;
  }

  async cleanup(containerId: string): Promise<void> {
    const ends = await Promise.allSettled(this.parts.toReversed().map((part) => part.cleanup?.(containerId)));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}
