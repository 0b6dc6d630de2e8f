import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type {
  ContainerID,
  ContainerInfo,
  ContainerStatus,
  ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import type {
  Containerizer,
  ContainerRequest,
  ContainerStreams,
  ContainerTermination,
  RecoverableContainer,
  TaskFeature,
} from "../../sdk/contracts/containerizer.js";
import type { Contribution, DeviceAccess } from "../../sdk/contracts/contribution.js";
import type { ProvisionedImage, Provisioner } from "../../sdk/contracts/image.js";
import type { ContainerLimitation, Isolator } from "../../sdk/contracts/isolator.js";
import type { LaunchedProcess, Launcher } from "../../sdk/contracts/launcher.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import type { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import { Attachments } from "./attachments.js";
import { mergeContributions } from "./contributions.js";
import { launchPlan, refused, switchedUser } from "./plan.js";
import { limitStatistics } from "./statistics.js";
import { GIVERS, isMine, missingFeatures } from "./supported.js";

export interface ContainerizerOptions {
  readonly isolators: readonly Isolator[];
  readonly launcher: Launcher;
  readonly containerLogger: ContainerLogger;
  readonly sandboxFetch: SandboxFetch;
  /** Absent: this agent has no images. */
  readonly provisioner?: Provisioner | undefined;
  /** Of this agent alone, for the launcher's records. */
  readonly recordsDirectory: string;
  /** Containers of which something could not be ended or cleaned up. */
  readonly destroyErrors: Counter;
  /** CPUs are limited to what is requested: `--cgroups_enable_cfs`. */
  readonly cfs?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Container {
  request: ContainerRequest;
  readonly abort: AbortController;
  process: LaunchedProcess | undefined;
  limitation: ContainerLimitation | undefined;
  /** Settles with the end of the container, or with why it never ran. */
  ended: Promise<ContainerTermination>;
  /** Set once it ends: settles when none of its processes and nothing of its isolators is left. */
  settled: Promise<void> | undefined;
}

/** Why what waits for a container stops waiting. One for all: making an error for each container that ends would cost. */
const ENDED = new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: "the container was destroyed" });

/** Containers made of isolators' contributions, started by one launcher. */
export class MesosContainerizer implements Containerizer {
  readonly name = "mesos";
  private readonly running = new Map<string, Container>();
  private readonly names: readonly string[];
  private readonly attachments: Attachments;

  constructor(private readonly options: ContainerizerOptions) {
    this.names = options.isolators.map(({ name }) => name);
    this.attachments = new Attachments(`${options.recordsDirectory}.streams`);
  }

  /** Makes the directories that containers need. Once, before any launch. */
  async prepareDirectories(): Promise<void> {
    await mkdir(this.options.recordsDirectory, { recursive: true });
    await this.attachments.prepare();
  }

  supports(feature: TaskFeature, container: ContainerInfo | undefined): boolean {
    return isMine({ container }) && GIVERS[feature].some((name) => this.names.includes(name));
  }

  async launch(request: ContainerRequest): Promise<boolean> {
    if (!isMine(request)) return false;
    const id = request.containerId.value!;
    if (this.running.has(id)) throw refused(`container '${id}' exists already`);
    const missing = missingFeatures(request, {
      isolators: this.names,
      images: this.options.provisioner !== undefined,
    });
    if (missing.length > 0) throw refused(`this agent has no ${missing.join(", no ")}`);
    const container: Container = {
      request,
      abort: new AbortController(),
      process: undefined,
      limitation: undefined,
      ended: Promise.resolve({ exit: undefined }),
      settled: undefined,
    };
    this.running.set(id, container);
    const started = this.start(container);
    container.ended = started.then(
      (process) => this.follow(container, process),
      (error: unknown) => ({ exit: undefined, message: messageOf(error) }),
    );
    try {
      await started;
    } catch (error) {
      await this.destroy(request.containerId);
      throw error;
    }
    return true;
  }

  async update(
    containerId: ContainerID,
    resources: Resources,
    limits: Readonly<Record<string, number>>,
  ): Promise<void> {
    const container = this.running.get(containerId.value!);
    if (container === undefined) return;
    container.request = { ...container.request, resources, limits };
    const { isolators } = this.options;
    const id = containerId.value!;
    const to = { resources, limits, pid: container.process?.pid };
    const devices: DeviceAccess[] = [];
    let replanned = false;
    for (const isolator of isolators) {
      const changed = await isolator.update?.(id, to);
      if (changed === undefined) continue;
      replanned = true;
      devices.push(...(changed.devices ?? []));
    }
    if (!replanned) return;
    for (const isolator of isolators) await isolator.replan?.(id, { devices });
  }

  async usage(containerId: ContainerID): Promise<ResourceStatistics> {
    const { id, container, pid } = this.processOf(containerId);
    const statistics: ResourceStatistics = {
      timestamp: this.options.clock.now() / 1000,
      ...limitStatistics(container.request, { cfs: this.options.cfs === true }),
      disk_statistics: [],
      net_traffic_control_statistics: [],
    };
    const parts = this.options.isolators.map((isolator) =>
      this.asked(id, isolator, async () => isolator.usage?.(id, pid)),
    );
    return Object.assign(statistics, ...(await Promise.all(parts)));
  }

  /** Also of one that just ended: where it was does not change by that. */
  async status(containerId: ContainerID): Promise<ContainerStatus> {
    const id = containerId.value!;
    const container = this.running.get(id);
    if (container?.process === undefined) throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: id });
    const status: ContainerStatus = {
      container_id: containerId,
      network_infos: [],
      executor_pid: container.process.pid,
    };
    if (container.settled !== undefined) return status;
    for (const isolator of this.options.isolators) {
      const { cgroup_info: cgroups, ...rest } =
        (await this.asked(id, isolator, async () => isolator.status?.(id))) ?? {};
      Object.assign(status, rest, cgroups && { cgroup_info: { ...status.cgroup_info, ...cgroups } });
    }
    return status;
  }

  async wait(containerId: ContainerID): Promise<ContainerTermination | undefined> {
    return this.running.get(containerId.value!)?.ended;
  }

  async signal(containerId: ContainerID, signal: number): Promise<boolean> {
    if (this.running.get(containerId.value!)?.process === undefined) return false;
    return this.options.launcher.signal(containerId.value!, signal);
  }

  async destroy(containerId: ContainerID): Promise<void> {
    const id = containerId.value!;
    const container = this.running.get(id);
    if (container === undefined) return;
    await this.settle(container);
    // Only now: until its owner destroys it, the record of how it ended must survive an agent that is killed.
    await this.options.launcher.forget(this.record(id));
    await this.attachments.forget(id);
    this.running.delete(id);
  }

  attach(containerId: ContainerID): ContainerStreams | undefined {
    const id = containerId.value!;
    const container = this.running.get(id);
    if (container?.process === undefined) return undefined;
    return this.attachments.streams(id, container.request, container.ended);
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const { isolators, launcher, provisioner, logger } = this.options;
    const found: RecoverableContainer[] = [];
    for (const { request } of containers) {
      const id = request.containerId.value!;
      const process = await launcher.reattach(id, this.record(id));
      if (process === undefined) continue;
      found.push({ request });
      this.running.set(id, {
        request,
        abort: new AbortController(),
        process,
        limitation: undefined,
        ended: Promise.resolve({ exit: undefined }),
        settled: undefined,
      });
      logger.info({ container: id, pid: process.pid }, "found a container of an earlier run");
    }
    const known = new Set(containers.map(({ request }) => request.containerId.value!));
    await this.endUnknown(known);
    await this.attachments.keepOnly(known);
    for (const isolator of isolators) await isolator.recover?.(found);
    await provisioner?.recover(new Set(found.map(({ request }) => request.containerId.value!)));
    // Only now: isolators are asked about a container that ends.
    for (const container of this.running.values()) {
      container.ended = this.follow(container, container.process!);
    }
  }

  containers(): readonly ContainerID[] {
    // Also those that ended: until its owner destroys it, how a container ended can be asked for.
    return [...this.running.values()].map(({ request }) => request.containerId);
  }

  /** What an isolator knows; one that cannot tell costs its own figures and nobody else's. */
  private async asked<T>(
    container: string,
    { name }: Isolator,
    question: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      return await question();
    } catch (error) {
      this.options.logger.warn({ err: error, container, isolator: name }, "an isolator cannot tell");
      return undefined;
    }
  }

  private async start(container: Container): Promise<LaunchedProcess> {
    const { request, abort } = container;
    const { isolators, launcher, containerLogger } = this.options;
    const id = request.containerId.value!;
    const [image] = await Promise.all([this.image(container), this.fetch(container)]);
    if (image !== undefined) container.request = { ...request, image };
    const contribution = await this.prepare(container);
    const io = await containerLogger.prepare(container.request);
    abort.signal.throwIfAborted();
    const immediate = isolators.every(({ isolate }) => isolate === undefined);
    const process = await launcher.launch({
      ...launchPlan({ request: container.request, contribution, io, record: this.record(id), immediate }),
      ...this.attachments.planned(id, container.request),
    });
    container.process = process;
    for (const isolator of isolators) {
      const isolating = isolator.isolate?.(id, process.pid, contribution);
      await isolating?.catch(blaming(isolator, "isolate"));
      abort.signal.throwIfAborted();
    }
    await process.go();
    return process;
  }

  private async image({ request, abort }: Container): Promise<ProvisionedImage | undefined> {
    const image = request.container?.mesos?.image;
    if (image === undefined) return undefined;
    return this.options.provisioner?.provision(request.containerId.value!, image, { signal: abort.signal });
  }

  private async fetch({ request, abort }: Container): Promise<void> {
    if (request.command.uris.length === 0) return;
    const user = switchedUser(request.user);
    await this.options.sandboxFetch.fetch({ request, user, signal: abort.signal });
  }

  private async prepare({ request, abort }: Container): Promise<Contribution> {
    const contributions: (Contribution | undefined)[] = [];
    for (const isolator of this.options.isolators) {
      if (isolator.prepare === undefined) continue;
      contributions.push(await isolator.prepare(request).catch(blaming(isolator, "prepare")));
      abort.signal.throwIfAborted();
    }
    return mergeContributions(contributions, request.image?.rootfs);
  }

  /** Watches a running container for limits, and ends with it. */
  private async follow(container: Container, process: LaunchedProcess): Promise<ContainerTermination> {
    const id = container.request.containerId.value!;
    for (const isolator of this.options.isolators) {
      isolator.watch?.(id, container.abort.signal).then(
        (limitation) => {
          if (container.abort.signal.aborted) return;
          container.limitation = limitation;
          return this.settle(container);
        },
        (error: unknown) => {
          if (container.abort.signal.aborted) return;
          this.options.logger.warn(
            { err: error, container: id, isolator: isolator.name },
            "cannot watch limits",
          );
        },
      );
    }
    const exit = await process.exited;
    container.limitation ??= await this.verdict(id);
    // What the main process left behind ends in the background; nobody waits for it.
    this.settle(container).catch((error: unknown) =>
      this.options.logger.error({ err: error, container: id }, "a container could not be cleaned up"),
    );
    const { limitation } = container;
    return {
      exit,
      reason: limitation?.reason,
      message: limitation?.message,
      limitation: limitation?.limitation,
    };
  }

  /** The limit that ended the container, where one of the isolators sees that it was one. */
  private async verdict(id: string): Promise<ContainerLimitation | undefined> {
    for (const isolator of this.options.isolators) {
      if (isolator.verdict === undefined) continue;
      try {
        const limitation = await isolator.verdict(id);
        if (limitation !== undefined) return limitation;
      } catch (error) {
        this.options.logger.warn({ err: error, container: id, isolator: isolator.name }, "no verdict");
      }
    }
    return undefined;
  }

  private record(id: string): string {
    return join(this.options.recordsDirectory, id);
  }

  /** Containers that an earlier run started and nobody asks for now. */
  private async endUnknown(known: ReadonlySet<string>): Promise<void> {
    const { launcher, recordsDirectory, logger } = this.options;
    for (const id of await readdir(recordsDirectory)) {
      if (known.has(id)) continue;
      const process = await launcher.reattach(id, this.record(id));
      logger.info({ container: id, pid: process?.pid }, "ending a container that nobody knows");
      await launcher.destroy(id);
      await launcher.forget(this.record(id));
    }
  }

  private settle(container: Container): Promise<void> {
    if (!container.abort.signal.aborted) container.abort.abort(ENDED);
    container.settled ??= this.endAll(container.request.containerId.value!);
    return container.settled;
  }

  private async endAll(id: string): Promise<void> {
    const { launcher, isolators, provisioner, destroyErrors, logger } = this.options;
    let failed = false;
    await launcher.destroy(id).catch((error: unknown) => {
      destroyErrors.inc();
      throw error;
    });
    // In reverse, as things were set up.
    for (const isolator of isolators.toReversed()) {
      try {
        await isolator.cleanup?.(id);
      } catch (error) {
        failed = true;
        logger.warn({ err: error, container: id, isolator: isolator.name }, "clean-up failed");
      }
    }
    try {
      await provisioner?.destroy(id);
    } catch (error) {
      failed = true;
      logger.warn({ err: error, container: id }, "a root file system could not be removed");
    }
    if (failed) destroyErrors.inc();
  }

  private processOf(containerId: ContainerID): { id: string; container: Container; pid: number } {
    const id = containerId.value!;
    const container = this.running.get(id);
    if (container?.process === undefined || container.settled !== undefined)
      throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: id });
    return { id, container, pid: container.process.pid };
  }
}

/** Says which isolator it was. */
const blaming =
  ({ name }: Isolator, step: "prepare" | "isolate") =>
  (error: unknown): never => {
    throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: `isolator '${name}' failed to ${step} the container: ${messageOf(error)}`,
      cause: error,
    });
  };
