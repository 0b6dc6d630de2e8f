import { mkdir } from "node:fs/promises";
import {
  type CommandInfo,
  type ContainerID,
  type ContainerInfo,
  type ContainerStatus,
  NetworkInfo_Protocol as Protocol,
  type ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import { FileStreams } from "../../sdk/container-streams/index.js";
import type { Timer } from "../../sdk/contracts/clock.js";
import type {
  ContainerExit,
  Containerizer,
  ContainerRequest,
  ContainerStreams,
  ContainerTermination,
  RecoverableContainer,
  TaskFeature,
} from "../../sdk/contracts/containerizer.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import { ContainerCgroups, limitStatistics } from "./cgroups.js";
import { AGENT_LABEL, DockerContainer, isDocker, refused } from "./container.js";
import { ContainerEnds } from "./container-ends.js";
import type { Engine } from "./engine.js";
import { isEngineError } from "./engine-error.js";
import { type ContainerEvent, EventStream } from "./event-stream.js";
import { execIn } from "./exec.js";
import { Launches, type LaunchOptions } from "./launches.js";
import { Recovery, type RecoveryPolicy } from "./recovery.js";
import { Removals } from "./removals.js";
import { amountsOf, resourceSettings, resourceUpdate } from "./resource-settings.js";

/** An event may get lost when the engine is in a hurry: this often, in milliseconds, all that run are looked up. */
const LOOK_INTERVAL = 60_000;
const SIGTERM = 15;
const SIGKILL = 9;

export type DockerContainerizerOptions = LaunchOptions & RecoveryPolicy;

/** Runs containers of type DOCKER through a Docker engine. A command task is its container; there is no executor beside it. */
export class DockerContainerizer implements Containerizer {
  readonly name = "docker";
  readonly taskNoun = "Container";
  private readonly byId = new Map<string, DockerContainer>();
  private readonly events: EventStream;
  private readonly launches: Launches;
  private readonly removals: Removals;
  private looking: Timer | undefined;
  private readonly cgroups = new ContainerCgroups();
  private readonly ends: ContainerEnds;
  private stopped = false;

  constructor(
    private readonly options: DockerContainerizerOptions,
    private readonly engine: Engine,
  ) {
    const { clock, logger } = options;
    this.launches = new Launches(options, engine);
    this.removals = new Removals(engine, clock, logger);
    this.ends = new ContainerEnds({
      ...options,
      engine,
      removals: this.removals,
      forget: (id) => this.byId.delete(id),
    });
    this.events = new EventStream({
      engine,
      label: this.label,
      clock,
      logger,
      onEvent: (event) => this.take(event),
      onReconnected: () => this.engineReturned(),
    });
  }

  /** Rejects with an EngineError when the engine cannot be reached. Once, before any other method. */
  async open(): Promise<void> {
    await this.engine.prepare();
    await mkdir(this.options.recordsDirectory, { recursive: true });
    await this.events.open();
    this.looking = this.options.clock.setInterval(() => this.look(), LOOK_INTERVAL);
  }

  /** Containers go on. */
  async close(): Promise<void> {
    this.stopped = true;
    this.looking?.cancel();
    this.removals.stop();
    this.ends.stop();
    await Promise.all([this.events.close(), this.cgroups.close()]);
    await Promise.allSettled([...this.byId.values()].map(({ logs }) => logs?.close()));
  }

  supports(feature: TaskFeature, container: ContainerInfo | undefined): boolean {
    return isDocker(container) && (feature === "cpus-limit" || feature === "mem-limit");
  }

  async launch(request: ContainerRequest): Promise<boolean> {
    if (!isDocker(request.container)) return false;
    const id = request.containerId.value!;
    if (this.byId.has(id)) throw refused(`container '${id}' exists already`);
    const container = new DockerContainer(request, amountsOf(request));
    this.byId.set(id, container);
    container.started = this.launches.start(container);
    try {
      await container.started;
    } catch (error) {
      // Cut off by the end of the agent, it may run nevertheless: what has become of it is for the next run to find.
      if (this.stopped) return new Promise<never>(() => undefined);
      await this.destroy(request.containerId);
      throw error instanceof TepuiError ? error : refused(messageOf(error), error);
    }
    this.watchMemory(container);
    return true;
  }

  async update(
    containerId: ContainerID,
    resources: Resources,
    limits: Readonly<Record<string, number>>,
  ): Promise<void> {
    const container = this.byId.get(containerId.value!);
    if (container === undefined || !container.running) return;
    container.amounts = { resources, limits };
    const { OomScoreAdj: _fixed, ...wanted } = resourceSettings(container.amounts, this.options);
    const change = resourceUpdate(container.settings, wanted);
    if (change === undefined) return;
    await this.engine.update(container.handle, change);
    container.settings = { ...container.settings, ...change };
  }

  async usage(containerId: ContainerID): Promise<ResourceStatistics> {
    const { amounts, facts } = this.live(containerId);
    const statistics: ResourceStatistics = {
      timestamp: this.options.clock.now() / 1000,
      ...limitStatistics(amounts, this.options),
      disk_statistics: [],
      net_traffic_control_statistics: [],
    };
    const cfs = this.options.cfs || amounts.limits.cpus !== undefined;
    return Object.assign(statistics, await this.cgroups.usage(facts.pid, { cfs }));
  }

  async status(containerId: ContainerID): Promise<ContainerStatus> {
    const container = this.byId.get(containerId.value!);
    if (container?.facts === undefined) throw unknown(containerId);
    const { addresses, pid } = container.facts;
    const [asked] = container.request.container?.network_infos ?? [];
    const network = { groups: [], port_mappings: [], ...asked };
    const ip_addresses = addresses.map((ip_address) => ({
      ip_address,
      protocol: ip_address.includes(":") ? Protocol.IPv6 : Protocol.IPv4,
    }));
    return {
      container_id: containerId,
      network_infos: addresses.length === 0 ? [] : [{ ...network, ip_addresses }],
      ...(pid > 0 && { executor_pid: pid }),
    };
  }

  taskData(containerId: ContainerID): Buffer | undefined {
    const container = this.byId.get(containerId.value!);
    const data = container?.description;
    if (container !== undefined) container.description = undefined;
    return data;
  }

  async wait(containerId: ContainerID): Promise<ContainerTermination | undefined> {
    return this.byId.get(containerId.value!)?.ended;
  }

  /** Its output, as that is copied to the sandbox. */
  attach(containerId: ContainerID): ContainerStreams | undefined {
    const container = this.byId.get(containerId.value!);
    if (container === undefined) return undefined;
    const { directory } = container.request;
    const { ended } = container;
    return new FileStreams({ directory, boundary: directory, ended });
  }

  async signal(containerId: ContainerID, signal: number): Promise<boolean> {
    const container = this.byId.get(containerId.value!);
    if (container === undefined || !container.running) return false;
    container.signalled = true;
    // As `docker stop` does: the image knows by which signal its program ends in order.
    const sent = signal === SIGTERM ? (container.facts?.stopSignal ?? signal) : signal;
    try {
      await this.engine.kill(container.handle, sent);
      return true;
    } catch (error) {
      if (isEngineError(error, "missing") || isEngineError(error, "conflict")) return false;
      throw error;
    }
  }

  async exec(containerId: ContainerID, command: CommandInfo, signal: AbortSignal): Promise<ContainerExit> {
    const container = this.byId.get(containerId.value!);
    if (container === undefined || !container.running) throw unknown(containerId);
    return execIn(this.engine, { name: container.handle, command, signal });
  }

  async destroy(containerId: ContainerID): Promise<void> {
    const container = this.byId.get(containerId.value!);
    if (container === undefined) return;
    container.destroying ??= this.ends.tearDown(container);
    await container.destroying;
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const { engine, removals, options } = this;
    const recovery = new Recovery({ ...options, engine, removals, label: this.label });
    for (const container of await recovery.run(containers)) {
      this.byId.set(container.id, container);
      // In the background: what it still has to say may be much.
      if (container.facts?.running === false) void this.ends.finish(container);
      else this.watchMemory(container);
    }
  }

  containers(): readonly ContainerID[] {
    return [...this.byId.values()].map(({ request }) => request.containerId);
  }

  private get label(): string {
    return `${AGENT_LABEL}=${this.options.agent}`;
  }

  private watchMemory(container: DockerContainer): void {
    const { facts, abort, name } = container;
    if (facts === undefined || facts.pid === 0) return;
    this.cgroups.outOfMemory(facts.pid, abort.signal).then(
      () => {
        container.outOfMemory = true;
      },
      (error: unknown) => {
        // With the container its group goes, and with that the watch.
        this.options.logger.debug({ err: error, container: name }, "memory is watched no more");
      },
    );
  }

  private take({ id, handle, action, exitCode }: ContainerEvent): void {
    const container = this.byId.get(id);
    if (action === "start") this.startedAgain(container, handle);
    if (container === undefined || action === "start") return;
    if (action === "oom") container.outOfMemory = true;
    else {
      container.died ??= { exitCode };
      void this.ends.finish(container);
    }
  }

  /** By hand: its task has ended, and nobody would know of what it uses. Nothing is done about one that starts for the first time. */
  private startedAgain(container: DockerContainer | undefined, handle: string): void {
    if (container === undefined) this.removals.hasten(handle);
    if (container?.died === undefined) return;
    const { name } = container;
    this.options.logger.warn({ container: name }, "ending a Docker container that was started again");
    this.engine.kill(handle, SIGKILL).catch((error: unknown) => {
      this.options.logger.warn({ err: error, container: name }, "it could not be ended");
    });
  }

  private engineReturned(): void {
    for (const { logs } of this.byId.values()) logs?.engineReturned();
    this.removals.engineReturned();
    this.ends.engineReturned();
    this.look();
  }

  /** Finds those whose end was not told. */
  private look(): void {
    const running = [...this.byId.values()].filter((container) => container.running);
    if (running.length === 0) return;
    this.engine.list(this.label, "running").then(
      (listed) => {
        const alive = new Set(listed.map(({ handle }) => handle));
        for (const container of running) if (!alive.has(container.handle)) void this.ends.finish(container);
      },
      (error: unknown) => {
        if (this.stopped) return;
        this.options.logger.warn({ err: error }, "the Docker daemon does not list its containers");
      },
    );
  }

  private live(containerId: ContainerID): DockerContainer & { facts: NonNullable<DockerContainer["facts"]> } {
    const container = this.byId.get(containerId.value!);
    if (container?.facts === undefined || container.facts.pid === 0 || !container.running)
      throw unknown(containerId);
    return container as ReturnType<DockerContainerizer["live"]>;
  }
}

const unknown = ({ value }: ContainerID): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: value ?? "" });
