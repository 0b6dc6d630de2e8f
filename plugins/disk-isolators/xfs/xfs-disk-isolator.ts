import { access, realpath, statfs } from "node:fs/promises";
import {
  type DiskStatistics,
  TaskStatus_Reason as Reason,
  type ResourceStatistics,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { ContainerRequest, RecoverableContainer } from "../../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate, Isolator } from "../../../sdk/contracts/isolator.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";
import type { Resources } from "../../../sdk/resources/index.js";
import { formatBytes } from "../../../sdk/values/index.js";
import { Limitation } from "../limitation.js";
import { diskStatistics, type Quota, quotasOf } from "../quotas.js";
import { sandboxDirectories, volumeDirectories } from "./known-directories.js";
import type { ProjectIds } from "./project-ids.js";
import type { ProjectLimit, ProjectQuotas } from "./project-quotas.js";
import type { XfsMount } from "./xfs-mounts.js";

const MB = 1024n * 1024n;

/**
 * What happens at the limit: nothing, writes fail, or the container is ended.
 *
 * Source: `--enforce_container_disk_quota` and `--xfs_kill_containers` of Mesos.
 */
export type QuotaPolicy = "account" | "refuse" | "kill";

export interface XfsDiskOptions {
  readonly workDir: string;
  /** Roots of the disks of type PATH: volumes lie there, too. */
  readonly diskRoots: readonly string[];
  readonly ids: ProjectIds;
  readonly quotas: ProjectQuotas;
  readonly findMount: (path: string) => Promise<XfsMount | { readonly lack: string }>;
  readonly policy: QuotaPolicy;
  /** Bytes that a container which is to be ended may write above its limit until that is seen. */
  readonly headroom: bigint;
  /** Milliseconds between two looks at what containers hold, with the policy `kill`. */
  readonly interval: number;
  /** Milliseconds between two looks for directories that are gone. */
  readonly reclaimInterval: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A directory that counts as a whole. */
interface Held {
  readonly id: number;
  readonly mountPoint: string;
}

interface Counted {
  readonly quota: Quota;
  /** Undefined for a disk of its own. */
  readonly held: Held | undefined;
}

interface Container {
  readonly sandbox: string;
  readonly held: Held;
  counted: readonly Counted[];
  readonly limitation: Limitation;
}

/**
 * `disk/xfs`: the kernel counts what a sandbox or a persistent volume holds, by XFS's project quotas, and keeps it to its limit. Which id is
 * whose is written in the file system itself, and so survives the agent and the host.
 */
export class XfsDiskIsolator implements Isolator {
  readonly name = "disk/xfs";
  private readonly containers = new Map<string, Container>();
  /** By directory. An id is given back when none of its directories exists any more: until then their files count as its. */
  private readonly held = new Map<string, Held>();
  /** Of those that are about to get one. */
  private readonly holding = new Map<string, Promise<Held>>();
  private readonly timers = new Set<Timer>();
  private readonly reading = new Map<string, Promise<ReadonlyMap<number, bigint>>>();
  private stopped = false;

  constructor(private readonly options: XfsDiskOptions) {}

  start(): void {
    const { policy, interval, reclaimInterval } = this.options;
    if (policy === "kill") this.every(interval, () => this.check());
    this.every(reclaimInterval, () => this.reclaim());
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) timer.cancel();
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const { workDir, diskRoots } = this.options;
    const known = await sandboxDirectories(workDir);
    for (const root of [workDir, ...diskRoots]) known.push(...(await volumeDirectories(root)));
    await this.findHeld(known);
    for (const { request } of containers) {
      await this.take(request).catch((error: unknown) => {
        const container = request.containerId.value;
        this.options.logger.error(
          { err: error, container },
          "what a container holds on disk is not limited any more",
        );
      });
    }
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const { held } = await this.take(request);
    // What it writes into its image's file system is on its account, as in Mesos.
    for (const directory of await writableLayers(request)) {
      const mount = await this.options.findMount(directory);
      if ("lack" in mount || mount.mountPoint !== held.mountPoint) continue;
      await this.assign(directory, held);
    }
    return undefined;
  }

  async update(containerId: string, { resources }: ContainerUpdate): Promise<void> {
    const container = this.containers.get(containerId);
    if (container !== undefined) await this.apply(container, resources);
  }

  async usage(containerId: string): Promise<Partial<ResourceStatistics>> {
    const container = this.containers.get(containerId);
    if (container === undefined) return {};
    const statistics: Partial<ResourceStatistics> & { disk_statistics: DiskStatistics[] } = {
      disk_statistics: [],
    };
    const sandbox = await this.usedBy(container.held);
    if (sandbox !== undefined) statistics.disk_used_bytes = sandbox;
    for (const { quota, held } of container.counted) {
      const { directory, bytes, disk } = quota;
      if (disk === undefined) {
        statistics.disk_limit_bytes = bytes;
        continue;
      }
      const used = held === undefined ? await usedOnDisk(directory) : await this.usedBy(held);
      const limit = held === undefined ? undefined : bytes;
      statistics.disk_statistics.push(diskStatistics({ limit, used, disk }));
    }
    return statistics;
  }

  watch(containerId: string, signal: AbortSignal): Promise<ContainerLimitation> {
    const container = this.containers.get(containerId);
    return container === undefined ? new Promise(() => undefined) : container.limitation.watch(signal);
  }

  /** The ids stay with the directories, which outlive the container. */
  async cleanup(containerId: string): Promise<void> {
    this.containers.delete(containerId);
  }

  /** Looks once whether a container holds more than it may. */
  async check(): Promise<void> {
    for (const container of [...this.containers.values()]) {
      for (const { quota, held } of container.counted) {
        const used = held === undefined ? undefined : await this.usedBy(held);
        if (used === undefined || used <= quota.bytes) continue;
        container.limitation.cross(limitationOf(quota, used));
      }
    }
  }

  /** Looks once for ids that nobody has any more. */
  async reclaim(): Promise<void> {
    const { ids, quotas, logger } = this.options;
    const inUse = new Set([...this.containers.values()].map(({ held }) => held.id));
    const gone = new Map<number, Held>();
    for (const [directory, held] of [...this.held]) {
      if (await exists(directory)) {
        inUse.add(held.id);
        continue;
      }
      gone.set(held.id, held);
      this.held.delete(directory);
    }
    for (const { id, mountPoint } of gone.values()) {
      if (inUse.has(id)) continue;
      await quotas.limit(mountPoint, [{ id, soft: 0n, hard: 0n }]).catch((error: unknown) => {
        // Whoever gets it next sets a limit of its own.
        logger.warn({ err: error, project: id }, "the limit of an unused XFS project could not be removed");
      });
      ids.release(id);
    }
  }

  private async take(request: ContainerRequest): Promise<Container> {
    const { directory, resources } = request;
    const container: Container = {
      sandbox: directory,
      held: await this.hold(directory),
      counted: [],
      limitation: new Limitation(),
    };
    this.containers.set(request.containerId.value!, container);
    await this.apply(container, resources);
    return container;
  }

  /** Counts, and limits, what the resources name. */
  private async apply(container: Container, resources: Resources): Promise<void> {
    const { workDir, quotas } = this.options;
    const counted: Counted[] = [];
    const limits = new Map<string, ProjectLimit[]>();
    for (const quota of quotasOf(resources, { sandbox: container.sandbox, workDir })) {
      const held = quota.ownDisk ? undefined : await this.hold(quota.directory);
      counted.push({ quota, held });
      if (held === undefined) continue;
      const one = { id: held.id, ...this.limitsOf(quota.bytes) };
      limits.set(held.mountPoint, [...(limits.get(held.mountPoint) ?? []), one]);
    }
    for (const [mountPoint, each] of limits) await quotas.limit(mountPoint, each);
    container.counted = counted;
  }

  private limitsOf(bytes: bigint): Pick<ProjectLimit, "soft" | "hard"> {
    const { policy, headroom } = this.options;
    if (policy === "account") return { soft: 0n, hard: 0n };
    return { soft: bytes, hard: policy === "kill" ? bytes + headroom : bytes };
  }

  /** The directory's id; a new one where it has none. Rejects with TEPUI_CONTAINER_LAUNCH_FAILED where it cannot have one. */
  private hold(directory: string): Promise<Held> {
    let holding = this.holding.get(directory);
    if (holding === undefined) {
      holding = this.find(directory).finally(() => this.holding.delete(directory));
      this.holding.set(directory, holding);
    }
    return holding;
  }

  private async find(directory: string): Promise<Held> {
    const known = this.held.get(directory);
    if (known !== undefined) return known;
    const { ids, quotas } = this.options;
    const mountPoint = await this.mountPointOf(directory);
    const [found] = await quotas.idsOf([directory]);
    if (found !== undefined) ids.occupy(found);
    const id = found ?? ids.next();
    if (id === undefined)
      throw refused(
        "Failed to assign project ID, range exhausted: give more in --xfs_project_range, or wait until old sandboxes are removed",
      );
    const held = { id, mountPoint };
    if (found === undefined) await this.assign(directory, held);
    else this.held.set(directory, held);
    return held;
  }

  private async assign(directory: string, held: Held): Promise<void> {
    // Before it is done: also what is half done is to be given back one day.
    this.held.set(directory, held);
    try {
      await this.options.quotas.assign(directory, held);
    } catch (error) {
      throw refused(`Failed to assign project ${held.id}: ${messageOf(error)}`);
    }
  }

  private async mountPointOf(directory: string): Promise<string> {
    const mount = await this.options.findMount(directory);
    if ("lack" in mount) throw refused(`disk/xfs needs ${mount.lack}`);
    return mount.mountPoint;
  }

  private async findHeld(directories: readonly string[]): Promise<void> {
    const { findMount, ids, quotas } = this.options;
    const onXfs: { directory: string; mountPoint: string }[] = [];
    for (const directory of directories) {
      const mount = await findMount(directory);
      if (!("lack" in mount)) onXfs.push({ directory, mountPoint: mount.mountPoint });
    }
    const found = await quotas.idsOf(onXfs.map(({ directory }) => directory));
    for (const [index, { directory, mountPoint }] of onXfs.entries()) {
      const id = found[index];
      if (id === undefined) continue;
      ids.occupy(id);
      this.held.set(directory, { id, mountPoint });
    }
  }

  private async usedBy({ id, mountPoint }: Held): Promise<bigint | undefined> {
    const { quotas } = this.options;
    // One reading for all that ask at a time.
    let reading = this.reading.get(mountPoint);
    if (reading === undefined) {
      reading = quotas.usage(mountPoint).finally(() => this.reading.delete(mountPoint));
      this.reading.set(mountPoint, reading);
    }
    return (await reading).get(id);
  }

  private every(interval: number, look: () => Promise<void>): void {
    if (this.stopped) return;
    const timer = this.options.clock.setTimeout(() => {
      this.timers.delete(timer);
      look()
        .catch((error: unknown) =>
          this.options.logger.error({ err: error }, "XFS project quotas could not be read"),
        )
        .finally(() => this.every(interval, look));
    }, interval);
    this.timers.add(timer);
  }
}

function limitationOf({ bytes, disk }: Quota, used: bigint): ContainerLimitation {
  const which = disk?.persistence?.id === undefined ? "" : ` for volume '${disk.persistence.id}'`;
  const resource = {
    name: "disk",
    type: Value_Type.SCALAR,
    scalar: { value: Number(used / MB) },
    reservations: [],
    ...(disk !== undefined && { disk }),
  };
  return {
    reason: Reason.REASON_CONTAINER_LIMITATION_DISK,
    message: `Disk usage (${formatBytes(Number(used))}) exceeded quota (${formatBytes(Number(bytes))})${which}`,
    limitation: { resources: [resource] },
  };
}

/** Directories of an overlay that take what a container writes: both, since files are renamed from one into the other. */
async function writableLayers({ image }: ContainerRequest): Promise<string[]> {
  const options = (image?.rootfs.mounts ?? [])
    .filter(({ type }) => type === "overlay")
    .flatMap(({ options = [] }) => options);
  const paths = options.flatMap((option) => /^(?:upperdir|workdir)=(.+)$/s.exec(option)?.[1] ?? []);
  return Promise.all(paths.map((path) => realpath(path)));
}

async function usedOnDisk(directory: string): Promise<bigint> {
  const { blocks, bfree, bsize } = await statfs(directory, { bigint: true });
  return (blocks - bfree) * bsize;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => !(error instanceof Error && "code" in error && error.code === "ENOENT"),
  );

const refused = (detail: string): TepuiError => new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
