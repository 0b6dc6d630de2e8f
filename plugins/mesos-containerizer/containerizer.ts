import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type ContainerID,
  type ContainerInfo,
  type ContainerStatus,
  ExecutorInfo_Type,
  type Image,
  type ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import type {
  Containerizer,
  ContainerRequest,
  ContainerStreams,
  ContainerTermination,
  PendingOperation,
  RecoverableContainer,
  TaskFeature,
} from "../../sdk/contracts/containerizer.js";
import type { Provisioner } from "../../sdk/contracts/image.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { LaunchedProcess, Launcher } from "../../sdk/contracts/launcher.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import type { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { isTepuiError, messageOf, TepuiError } from "../../sdk/errors/index.js";
import { containerName } from "../../sdk/ids/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import { Attachments } from "./attachments.js";
import { type Container, depth, isolated, makeContainer } from "./container.js";
import { ContainerEnds } from "./container-ends.js";
import { ContainerIsolation } from "./container-isolation.js";
import { PendingOperations } from "./pending-operations.js";
import { refused } from "./plan.js";
import { Preparation } from "./preparation.js";
import { limitStatistics } from "./statistics.js";
import { GIVERS, isMine, missingFeatures } from "./supported.js";
import { SavedSurroundings, surroundingsOf, withoutSecrets } from "./surroundings.js";

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

/** Containers made of isolators' contributions, started by one launcher. */
export class MesosContainerizer implements Containerizer {
  readonly name = "mesos";
  private readonly running = new Map<string, Container>();
  private readonly names: readonly string[];
  private readonly attachments: Attachments;
  private readonly nestingIsolators: readonly Isolator[];
  private readonly surroundings: SavedSurroundings;
  private readonly preparation: Preparation;
  private readonly inProgress = new PendingOperations();
  private readonly ends: ContainerEnds;

  constructor(private readonly options: ContainerizerOptions) {
    this.names = options.isolators.map(({ name }) => name);
    this.preparation = new Preparation(options);
    this.attachments = new Attachments(`${options.recordsDirectory}.streams`);
    this.nestingIsolators = options.isolators.filter(({ nesting }) => nesting === true);
    this.surroundings = new SavedSurroundings(`${options.recordsDirectory}.surroundings`);
    const { attachments, surroundings, inProgress } = this;
    this.ends = new ContainerEnds({
      ...options,
      attachments,
      surroundings,
      inProgress,
      record: (id) => this.record(id),
      forgotten: (id) => this.running.delete(id),
    });
  }

  /** Makes the directories that containers need. Once, before any launch. */
  async prepareDirectories(): Promise<void> {
    try {
      await mkdir(this.options.recordsDirectory, { recursive: true });
    } catch (error) {
      const advice = "name a directory that the agent's user may write to with --runtime_dir";
      throw new Error(`${messageOf(error)}; ${advice}`, { cause: error });
    }
    await this.attachments.prepare();
    await this.surroundings.open();
  }

  supports(feature: TaskFeature, container: ContainerInfo | undefined): boolean {
    return isMine({ container }) && GIVERS[feature].some((name) => this.names.includes(name));
  }

  async launch(request: ContainerRequest): Promise<boolean> {
    if (!isMine(request)) return false;
    const id = containerName(request.containerId);
    if (this.running.has(id)) throw refused(`container '${id}' exists already`);
    const parent = this.parentOf(request);
    const isolation = this.isolationOf(request);
    const images = this.options.provisioner !== undefined;
    const missing = missingFeatures(request, { isolators: isolation.names, images });
    if (missing.length > 0) throw refused(`this agent has no ${missing.join(", no ")}`);
    const container = makeContainer(request, parent, isolation);
    this.running.set(id, container);
    const started = this.start(container);
    container.ended = started.then(
      (process) => this.ends.follow(container, process),
      (error: unknown) => ({ exit: undefined, message: messageOf(error) }),
    );
    try {
      await started;
    } catch (error) {
      await this.destroy(request.containerId);
      // It may have been forgotten while it was being made.
      if (!this.running.has(id)) await this.surroundings.forget(id);
      throw error;
    }
    return true;
  }

  async update(
    containerId: ContainerID,
    resources: Resources,
    limits: Readonly<Record<string, number>>,
  ): Promise<void> {
    const container = this.find(containerId);
    if (container === undefined) return;
    // One within it that has ended, but is not gone, may hold more than is to be left: the kernel would refuse to take it away.
    await Promise.allSettled([...container.children].map(({ settled }) => settled));
    container.request = { ...container.request, resources, limits };
    await container.isolation.update({ resources, limits, pid: container.process?.pid });
  }

  async usage(containerId: ContainerID): Promise<ResourceStatistics> {
    const container = this.runningOf(containerId);
    // One that only looks into another has no part of its own in what is measured.
    const { request, isolation, process } = isolated(container);
    const statistics: ResourceStatistics = {
      timestamp: this.options.clock.now() / 1000,
      ...limitStatistics(request, { cfs: this.options.cfs === true }),
      disk_statistics: [],
      net_traffic_control_statistics: [],
    };
    const { pid } = process ?? container.process!;
    return Object.assign(statistics, await isolation.usage(pid));
  }

  /** Also of one that just ended: where it was does not change by that. */
  async status(containerId: ContainerID): Promise<ContainerStatus> {
    const container = this.find(containerId);
    if (container?.process === undefined)
      throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: containerName(containerId) });
    const status: ContainerStatus = {
      container_id: containerId,
      network_infos: [],
      executor_pid: container.process.pid,
    };
    if (container.settled !== undefined) return status;
    return Object.assign(status, await isolated(container).isolation.status());
  }

  async wait(containerId: ContainerID): Promise<ContainerTermination | undefined> {
    return this.find(containerId)?.ended;
  }

  async signal(containerId: ContainerID, signal: number): Promise<boolean> {
    const container = this.find(containerId);
    if (container?.process === undefined) return false;
    return this.options.launcher.signal(container.id, signal);
  }

  async destroy(containerId: ContainerID): Promise<void> {
    const container = this.find(containerId);
    if (container === undefined) return;
    await this.ends.settle(container);
    await this.ends.forget(container);
  }

  attach(containerId: ContainerID): ContainerStreams | undefined {
    const container = this.find(containerId);
    if (container?.process === undefined) return undefined;
    return this.attachments.streams(container.id, container.request, container.ended);
  }

  async pruneImages(excluded: readonly Image[]): Promise<void> {
    await this.options.provisioner?.prune(excluded);
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const { isolators, launcher, provisioner, logger } = this.options;
    // Those that others are within come first.
    const ordered = containers.toSorted((a, b) => depth(a.request) - depth(b.request));
    const requests = ordered.map(({ request }) => request);
    for (const one of ordered) {
      const { request } = one;
      const id = containerName(request.containerId);
      const process = (await launcher.reattach(id, this.record(id))) ?? (await this.adopt(one));
      if (process === undefined) continue;
      const { parent } = request.containerId;
      const container = makeContainer(request, parent && this.find(parent), this.isolationOf(request));
      container.process = process;
      container.surroundings = await this.surroundings.load(id);
      this.running.set(id, container);
      logger.info({ container: id, pid: process.pid }, "found a container of an earlier run");
    }
    const known = new Set(requests.map(({ containerId }) => containerName(containerId)));
    await this.endUnknown(known);
    const alive = new Set(this.running.keys());
    await this.surroundings.keep(alive);
    await this.attachments.keepOnly(alive);
    const found = [...this.running.values()];
    for (const isolator of isolators) {
      const theirs = found.filter((container) => container.isolation.isolators.includes(isolator));
      const recovered = async () => isolator.recover?.(theirs.map(({ request }) => ({ request })));
      await recovered().catch((cause: unknown) => {
        if (isTepuiError(cause)) throw cause;
        throw new Error(`isolator '${isolator.name}' failed to recover: ${messageOf(cause)}`, { cause });
      });
    }
    await provisioner?.recover(alive);
    // Only now: isolators are asked about a container that ends.
    for (const container of found) container.ended = this.ends.follow(container, container.process!);
  }

  containers(): readonly ContainerID[] {
    // Also those that ended: until its owner destroys it, how a container ended can be asked for.
    return [...this.running.values()].map(({ request }) => request.containerId);
  }

  pending(): readonly PendingOperation[] {
    return this.inProgress.list();
  }

  /** One that an agent of Mesos made. Of its pods not all would be known, and what runs without an executor has nobody to tell its end. */
  private async adopt({ request, process: pid }: RecoverableContainer): Promise<LaunchedProcess | undefined> {
    const { launcher, logger } = this.options;
    const pod = request.executor.type === ExecutorInfo_Type.DEFAULT;
    if (pid === undefined || pod || request.task !== undefined || !isMine(request)) return undefined;
    const id = containerName(request.containerId);
    logger.info({ container: id, pid }, "taking over a container that another agent made");
    return launcher.adopt?.(id, this.record(id), pid);
  }

  private find(containerId: ContainerID): Container | undefined {
    return this.running.get(containerName(containerId));
  }

  /** Throws where there is none that a container could be made in. */
  private parentOf({ containerId: { parent: id } }: ContainerRequest): Container | undefined {
    if (id === undefined) return undefined;
    const parent = this.find(id);
    if (parent === undefined) throw refused(`Parent container ${containerName(id)} does not exist`);
    if (parent.abort.signal.aborted || parent.settled !== undefined)
      throw refused(`Parent container ${parent.id} is in 'DESTROYING' state`);
    if (parent.process === undefined) throw refused(`Parent container ${parent.id} does not run yet`);
    return parent;
  }

  private isolationOf(request: ContainerRequest): ContainerIsolation {
    const nested = request.containerId.parent !== undefined;
    const isolators = nested ? this.nestingIsolators : this.options.isolators;
    return new ContainerIsolation({
      id: containerName(request.containerId),
      isolators: request.class === "debug" ? [] : isolators,
      pending: this.inProgress,
      logger: this.options.logger,
    });
  }

  private async start(container: Container): Promise<LaunchedProcess> {
    const { id, request, abort, isolation } = container;
    const { launcher } = this.options;
    const plan = await this.preparation.plan(container, this.record(id));
    container.surroundings = surroundingsOf(plan);
    // Others end with the agent.
    if (request.checkpoint) await this.surroundings.save(id, withoutSecrets(container.surroundings, request));
    abort.signal.throwIfAborted();
    const process = await this.inProgress.track(
      { operation: "launcher::fork", args: { containerId: id, path: plan.argv[0]! } },
      launcher.launch({ ...plan, ...this.attachments.planned(id, container.request) }),
    );
    container.process = process;
    await isolation.isolate(process, plan.contribution, abort.signal);
    await process.go();
    return process;
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

  private runningOf(containerId: ContainerID): Container {
    const container = this.find(containerId);
    if (container?.process === undefined || container.settled !== undefined)
      throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: containerName(containerId) });
    return container;
  }
}
