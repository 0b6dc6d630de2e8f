import {
  type DiskStatistics,
  TaskStatus_Reason as Reason,
  type ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { Limitation } from "../../sdk/isolation/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import { Rounds } from "../../sdk/time/index.js";
import { formatBytes } from "../../sdk/values/index.js";
import type { MeasureOptions } from "./disk-use.js";
import { diskStatistics, type Quota, quotasOf } from "./quotas.js";

export interface DiskUsageOptions {
  readonly workDir: string;
  /** Milliseconds from the end of one round over all containers to the start of the next. */
  readonly interval: number;
  /** Ends containers that hold more than they may. */
  readonly enforce: boolean;
  readonly measure: (directory: string, options: MeasureOptions) => Promise<bigint>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Watched {
  readonly sandbox: string;
  quotas: readonly Quota[];
  /** Bytes, by directory. */
  readonly used: Map<string, bigint>;
  readonly limitation: Limitation;
}

/**
 * `disk/du`: measures what sandboxes and persistent volumes hold, one directory at a time, and ends containers that hold more than they were
 * given where that is enforced.
 */
export class DiskUsageIsolator implements Isolator {
  readonly name = "disk/du";
  private readonly containers = new Map<string, Watched>();
  private readonly stopping = new AbortController();
  private readonly rounds: Rounds;

  constructor(private readonly options: DiskUsageOptions) {
    const { clock, interval, logger } = options;
    this.rounds = new Rounds({
      clock,
      interval,
      round: () => this.round(),
      failed: (error) => logger.error({ err: error }, "disk usage could not be measured"),
    });
  }

  start(): void {
    this.rounds.start();
  }

  stop(): void {
    this.stopping.abort();
    void this.rounds.stop();
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    for (const { request } of containers) this.take(request);
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    this.take(request);
    return undefined;
  }

  async update(containerId: string, { resources }: ContainerUpdate): Promise<void> {
    const container = this.containers.get(containerId);
    if (container === undefined) return;
    container.quotas = this.quotas(container.sandbox, resources);
  }

  async usage(containerId: string): Promise<Partial<ResourceStatistics>> {
    const container = this.containers.get(containerId);
    if (container === undefined) return {};
    const statistics: Partial<ResourceStatistics> & { disk_statistics: DiskStatistics[] } = {
      disk_statistics: [],
    };
    for (const { directory, bytes, disk } of container.quotas) {
      const used = container.used.get(directory);
      statistics.disk_statistics.push(diskStatistics({ limit: bytes, used, disk }));
      if (directory !== container.sandbox) continue;
      statistics.disk_limit_bytes = bytes;
      if (used !== undefined) statistics.disk_used_bytes = used;
    }
    return statistics;
  }

  watch(containerId: string, signal: AbortSignal): Promise<ContainerLimitation> {
    const container = this.containers.get(containerId);
    return container === undefined ? new Promise(() => undefined) : container.limitation.watch(signal);
  }

  async cleanup(containerId: string): Promise<void> {
    this.containers.delete(containerId);
  }

  /** Measures every directory of every container once. */
  async round(): Promise<void> {
    for (const [id, container] of [...this.containers]) {
      for (const quota of container.quotas) {
        if (this.stopping.signal.aborted) return;
        if (this.containers.get(id) === container) await this.look(id, { container, quota });
      }
    }
  }

  private async look(id: string, { container, quota }: { container: Watched; quota: Quota }): Promise<void> {
    const { enforce, logger, measure } = this.options;
    const without =
      quota.directory === container.sandbox
        ? container.quotas.flatMap(({ containerPath }) => containerPath ?? [])
        : [];
    const { signal } = this.stopping;
    const used = await measure(quota.directory, { without, signal }).catch((error: unknown) => {
      if (!signal.aborted && this.containers.has(id)) {
        logger.warn({ err: error, container: id, path: quota.directory }, "disk usage could not be measured");
      }
    });
    if (used === undefined) return;
    container.used.set(quota.directory, used);
    // Its quota may have been raised while it was measured.
    const now = container.quotas.find(({ directory }) => directory === quota.directory);
    if (!enforce || now === undefined || now.ownDisk || used <= now.bytes) return;
    container.limitation.cross({
      reason: Reason.REASON_CONTAINER_LIMITATION_DISK,
      message: `Disk usage (${formatBytes(Number(used))}) exceeds quota (${formatBytes(Number(now.bytes))})`,
      limitation: { resources: [...now.resources] },
    });
  }

  private take({ containerId, directory, resources }: ContainerRequest): void {
    this.containers.set(containerId.value!, {
      sandbox: directory,
      quotas: this.quotas(directory, resources),
      used: new Map(),
      limitation: new Limitation(),
    });
  }

  private quotas(sandbox: string, resources: Resources): Quota[] {
    return quotasOf(resources, { sandbox, workDir: this.options.workDir });
  }
}
