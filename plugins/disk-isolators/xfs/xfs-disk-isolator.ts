import { realpath, statfs } from "node:fs/promises";
import {
  type DiskStatistics,
  TaskStatus_Reason as Reason,
  type ResourceStatistics,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { ContainerRequest, RecoverableContainer } from "../../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate, Isolator } from "../../../sdk/contracts/isolator.js";
import { Limitation } from "../../../sdk/isolation/index.js";
import type { Resources } from "../../../sdk/resources/index.js";
import { Rounds } from "../../../sdk/time/index.js";
import { formatBytes } from "../../../sdk/values/index.js";
import { diskStatistics, type Quota, quotasOf } from "../quotas.js";
import { sandboxDirectories, volumeDirectories } from "./known-directories.js";
import type { ProjectLimit } from "./project-quotas.js";
import { type Project, Projects, type ProjectsOptions } from "./projects.js";

const MB = 1024n * 1024n;

/**
 * What happens at the limit: nothing, writes fail, or the container is ended.
 *
 * Source: `--enforce_container_disk_quota` and `--xfs_kill_containers` of Mesos.
 */
export type QuotaPolicy = "account" | "refuse" | "kill";

export interface XfsDiskOptions extends ProjectsOptions {
  readonly workDir: string;
  /** Roots of the disks of type PATH: volumes lie there, too. */
  readonly diskRoots: readonly string[];
  readonly policy: QuotaPolicy;
  /** Bytes that a container which is to be ended may write above its limit until that is seen. */
  readonly headroom: bigint;
  /** Milliseconds between two looks at what containers hold, with the policy `kill`. */
  readonly interval: number;
  /** Milliseconds between two looks for directories that are gone. */
  readonly reclaimInterval: number;
  readonly clock: Clock;
}

interface Counted {
  readonly quota: Quota;
  /** Undefined for a disk of its own. */
  readonly project: Project | undefined;
}

interface Container {
  readonly sandbox: string;
  readonly project: Project;
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
  private readonly projects: Projects;
  private readonly rounds: readonly Rounds[];

  constructor(private readonly options: XfsDiskOptions) {
    this.projects = new Projects(options);
    const { policy, interval, reclaimInterval } = options;
    const reclaim = this.every(reclaimInterval, () => this.reclaim());
    this.rounds = policy === "kill" ? [this.every(interval, () => this.check()), reclaim] : [reclaim];
  }

  start(): void {
    for (const one of this.rounds) one.start();
  }

  stop(): void {
    for (const one of this.rounds) void one.stop();
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const { workDir, diskRoots } = this.options;
    const known = await sandboxDirectories(workDir);
    for (const root of [workDir, ...diskRoots]) known.push(...(await volumeDirectories(root)));
    await this.projects.recover(known);
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
    const { project } = await this.take(request);
    // What it writes into its image's file system is on its account, as in Mesos.
    for (const directory of await writableLayers(request)) await this.projects.join(directory, project);
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
    const sandbox = await this.projects.used(container.project);
    if (sandbox !== undefined) statistics.disk_used_bytes = sandbox;
    for (const { quota, project } of container.counted) {
      const { directory, bytes, disk } = quota;
      if (disk === undefined) {
        statistics.disk_limit_bytes = bytes;
        continue;
      }
      const used = project === undefined ? await usedOnDisk(directory) : await this.projects.used(project);
      const limit = project === undefined ? undefined : bytes;
      statistics.disk_statistics.push(diskStatistics({ limit, used, disk }));
    }
    return statistics;
  }

  watch(containerId: string, signal: AbortSignal): Promise<ContainerLimitation> {
    const container = this.containers.get(containerId);
    return container === undefined ? new Promise(() => undefined) : container.limitation.watch(signal);
  }

  /** The projects stay with the directories, which outlive the container. */
  async cleanup(containerId: string): Promise<void> {
    this.containers.delete(containerId);
  }

  /** Looks once whether a container holds more than it may. */
  async check(): Promise<void> {
    for (const container of [...this.containers.values()]) {
      for (const { quota, project } of container.counted) {
        const used = project === undefined ? undefined : await this.projects.used(project);
        if (used === undefined || used <= quota.bytes) continue;
        container.limitation.cross(limitationOf(quota, used));
      }
    }
  }

  /** Looks once for directories that are gone. */
  async reclaim(): Promise<void> {
    await this.projects.reclaim(Array.from(this.containers.values(), ({ project }) => project));
  }

  private async take(request: ContainerRequest): Promise<Container> {
    const { directory, resources } = request;
    const container: Container = {
      sandbox: directory,
      project: await this.projects.of(directory),
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
      const project = quota.ownDisk ? undefined : await this.projects.of(quota.directory);
      counted.push({ quota, project });
      if (project === undefined) continue;
      const one = { id: project.id, ...this.limitsOf(quota.bytes) };
      limits.set(project.mountPoint, [...(limits.get(project.mountPoint) ?? []), one]);
    }
    for (const [mountPoint, each] of limits) await quotas.limit(mountPoint, each);
    container.counted = counted;
  }

  private limitsOf(bytes: bigint): Pick<ProjectLimit, "soft" | "hard"> {
    const { policy, headroom } = this.options;
    if (policy === "account") return { soft: 0n, hard: 0n };
    return { soft: bytes, hard: policy === "kill" ? bytes + headroom : bytes };
  }

  private every(interval: number, round: () => Promise<void>): Rounds {
    const { clock, logger } = this.options;
    const failed = (error: unknown): void =>
      logger.error({ err: error }, "XFS project quotas could not be read");
    return new Rounds({ clock, interval, round, failed });
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
