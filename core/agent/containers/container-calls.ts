import type { ContainerID, Image } from "../../../proto/gen/mesos/v1/mesos.js";
import { ContainerInfo_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type {
  AgentContainer,
  AgentContainers,
  ContainerLaunch,
} from "../../../sdk/contracts/agent-containers.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type {
  Containerizer,
  ContainerStreams,
  ContainerTermination,
  RecoverableContainer,
} from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { containerName, rootContainer } from "../../../sdk/ids/index.js";
import type { AgentState } from "../agent-state.js";
import type { Disk, DiskOperation } from "../disk/operations.js";
import type { GarbageCollector } from "../garbage-collector.js";
import type { AgentOptions } from "../options.js";
import type { AgentPaths } from "../paths.js";
import { invalid, unknown } from "./container-refusals.js";
import { requestOf } from "./container-request.js";
import { describeContainer } from "./describe-container.js";
import { EndedContainers } from "./ended-containers.js";
import { boundaryOf, type Home, homeFor, makeSandbox } from "./homes.js";
import { KnownHomes } from "./known-homes.js";
import { validateLaunch, validateSignal } from "./launch-validation.js";
import type { SavedContainers } from "./saved-containers.js";
import { SharedWaits } from "./shared-waits.js";

export interface ContainerCallsOptions {
  readonly state: AgentState;
  readonly agent: AgentOptions;
  readonly containerizers: readonly Containerizer[];
  readonly saved: SavedContainers;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly gc: GarbageCollector;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Entry extends Home {
  readonly launch: ContainerLaunch;
  containerizer: Containerizer | undefined;
  /** Settles when the container runs, or has failed to start. */
  started: Promise<void>;
  running: boolean;
  /** It must not start, unless it already has. */
  unwanted: boolean;
  ended: ContainerTermination | undefined;
}

const DESTROYED = "the container was destroyed";

/** The nested and standalone containers of the agent: the calls that concern them, and their lifecycle. */
export class ContainerCalls implements AgentContainers {
  private readonly entries = new Map<string, Entry>();
  private readonly homes: KnownHomes;
  private readonly ended: EndedContainers;
  private readonly waits = new SharedWaits<ContainerTermination>();

  constructor(private readonly options: ContainerCallsOptions) {
    this.homes = new KnownHomes(options.state, this.entries);
    this.ended = new EndedContainers({
      clock: options.clock,
      forget: (name) => this.drop(name, this.entries.get(name)),
    });
  }

  async launch(launch: ContainerLaunch): Promise<"launched" | "exists"> {
    const problem = validateLaunch(launch);
    if (problem !== undefined) throw invalid(problem);
    const { containerId } = launch;
    const name = containerName(containerId);
    const before = this.entries.get(name);
    if (before !== undefined && before.ended === undefined) return "exists";
    if (containerId.parent === undefined && this.homes.executor(containerId) !== undefined) return "exists";
    if (launch.container !== undefined && launch.container.type !== ContainerInfo_Type.MESOS)
      throw invalid("The provided ContainerInfo is not supported");
    const entry = this.enlist(launch);
    entry.started = this.start(entry, before);
    try {
      await entry.started;
    } catch (error) {
      // Whatever else goes wrong, the caller is told why the container did not start.
      await this.forget(name, entry).catch(this.failed(name));
      throw error;
    }
    this.follow(name, entry);
    return "launched";
  }

  /** Whether the container exists or existed: until it or its parent is removed. */
  has(containerId: ContainerID): boolean {
    return this.entries.has(containerName(containerId));
  }

  async wait(containerId: ContainerID, left?: AbortSignal): Promise<ContainerTermination> {
    const name = containerName(containerId);
    const entry = this.entries.get(name);
    const owner = this.homes.owner(containerId);
    const termination = await this.waits.join(name, () => owner?.wait(containerId), left);
    if (termination === undefined) throw unknown(containerId);
    // Whoever hears of its end may remove it at once.
    if (entry !== undefined) entry.ended ??= termination;
    return termination;
  }

  async kill(containerId: ContainerID, signal: number): Promise<void> {
    const problem = validateSignal(signal);
    if (problem !== undefined) throw invalid(problem);
    const owner = this.homes.owner(containerId);
    if (await owner?.signal(containerId, signal)) return;
    const entry = this.entries.get(containerName(containerId));
    if (entry === undefined || entry.running) throw unknown(containerId);
    // It has not started yet, and now never will.
    entry.unwanted = true;
    await owner?.destroy(containerId);
  }

  async remove(containerId: ContainerID): Promise<void> {
    const name = containerName(containerId);
    const entry = this.entries.get(name);
    if (entry !== undefined && entry.ended === undefined)
      throw invalid(
        `${containerId.parent === undefined ? "Container" : "Nested container"} has not terminated yet`,
      );
    const place = entry ?? this.homes.place(containerId);
    if (place === undefined) throw unknown(containerId);
    if (entry !== undefined) await this.forget(name, entry);
    this.options.gc.unschedule(place.directory);
    await this.options.disk.discard(place.directory, boundaryOf(place));
  }

  async destroy(containerId: ContainerID): Promise<void> {
    const name = containerName(containerId);
    const entry = this.entries.get(name);
    if (entry === undefined) throw unknown(containerId);
    await entry.containerizer?.destroy(containerId);
    await this.forget(name, entry);
  }

  async attach(containerId: ContainerID): Promise<ContainerStreams> {
    const streams = this.homes.owner(containerId)?.attach?.(containerId);
    if (streams === undefined) throw unknown(containerId);
    return streams;
  }

  async list(of: { nested: boolean; standalone: boolean }): Promise<readonly AgentContainer[]> {
    const executors = [...this.options.state.executors()].filter(({ state }) => state !== "terminated");
    const homes = new Map<ContainerID, Pick<Home, "executor" | "containerizer">>(
      executors.map((executor) => [
        executor.containerId,
        { executor, containerizer: executor.containerizer },
      ]),
    );
    for (const entry of this.entries.values()) {
      if (entry.ended !== undefined) continue;
      const { containerId } = entry.launch;
      if (containerId.parent === undefined ? of.standalone : of.nested) homes.set(containerId, entry);
    }
    return Promise.all(Array.from(homes, ([containerId, home]) => describeContainer(containerId, home)));
  }

  async pruneImages(excluded: readonly Image[]): Promise<void> {
    for (const containerizer of this.options.containerizers) await containerizer.pruneImages?.(excluded);
  }

  /** An executor's container has ended and is forgotten, and the containers nested in it with it. */
  gone(root: ContainerID): void {
    for (const [name, entry] of this.entries)
      if (rootContainer(entry.launch.containerId).value === root.value) this.drop(name, entry);
  }

  /**
   * Takes over what an earlier run left behind, once the executors are known. Returns what containerizers should look for; `recovered` is
   * called when they have.
   */
  recover(launches: readonly ContainerLaunch[]): readonly RecoverableContainer[] {
    const ordered = launches.toSorted((a, b) => depth(a.containerId) - depth(b.containerId));
    const found: RecoverableContainer[] = [];
    for (const launch of ordered) {
      try {
        found.push({ request: requestOf(this.enlist(launch)) });
      } catch (error) {
        // Its parent is gone, and it went along.
        this.options.logger.info({ container: containerName(launch.containerId) }, messageOf(error));
        this.write([this.options.saved.forget(containerName(launch.containerId))]);
      }
    }
    return found;
  }

  recovered(): void {
    const { containerizers } = this.options;
    for (const [name, entry] of this.entries) {
      const { containerId } = entry.launch;
      entry.containerizer = containerizers.find((one) =>
        one.containers().some((id) => containerName(id) === name),
      );
      if (entry.containerizer !== undefined) this.follow(name, entry);
      else if (containerId.parent === undefined) this.gone(containerId);
      else this.lost(name, entry);
    }
  }

  /** It had not started, or the host has rebooted since. */
  private lost(name: string, entry: Entry): void {
    this.options.logger.warn({ container: name }, "nothing is left of a container");
    this.drop(name, entry);
  }

  private drop(name: string, entry: Entry | undefined): void {
    if (entry !== undefined) this.forget(name, entry).catch(this.failed(name));
  }

  private failed(name: string): (error: unknown) => void {
    return (error) =>
      this.options.logger.error({ err: error, container: name }, "a container could not be forgotten");
  }

  private enlist(launch: ContainerLaunch): Entry {
    const { containerId } = launch;
    const { agent, gc, paths } = this.options;
    const name = containerName(containerId);
    const above = containerId.parent && this.homes.home(containerId.parent);
    if (containerId.parent !== undefined && above === undefined)
      throw invalid(`Parent container ${containerName(containerId.parent)} does not exist`);
    const entry: Entry = {
      launch,
      ...homeFor(launch, above, { switchUser: agent.switchUser, paths }),
      started: Promise.resolve(),
      running: false,
      unwanted: false,
      ended: undefined,
    };
    this.ended.delete(name);
    // An earlier container with this id may have left the directory for removal.
    gc.unschedule(entry.directory);
    this.entries.set(name, entry);
    return entry;
  }

  private async start(entry: Entry, before: Entry | undefined): Promise<void> {
    const { disk, saved } = this.options;
    const { launch } = entry;
    // An earlier container with this id has ended and makes room.
    await before?.containerizer?.destroy(launch.containerId);
    await disk.apply([makeSandbox(entry), ...(entry.checkpoint ? [saved.save(launch)] : [])]);
    const request = requestOf(entry);
    const asked = entry.containerizer === undefined ? this.options.containerizers : [entry.containerizer];
    for (const containerizer of asked) {
      if (entry.unwanted) throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: DESTROYED });
      entry.containerizer = containerizer;
      if (await containerizer.launch(request)) return;
    }
    throw invalid("The provided ContainerInfo is not supported");
  }

  private follow(name: string, entry: Entry): void {
    const { gc, logger, agent } = this.options;
    const { containerizer, launch, directory } = entry;
    entry.running = true;
    containerizer!.wait(launch.containerId).then(
      (termination) => {
        entry.ended ??= termination ?? { exit: undefined };
        if (this.entries.get(name) !== entry) return;
        this.ended.add(name, launch);
        if (agent.gcNonExecutorContainerSandboxes) gc.schedule(directory, 0, boundaryOf(entry));
      },
      (error: unknown) => {
        entry.ended = { exit: undefined, message: messageOf(error) };
        if (this.entries.get(name) === entry) this.ended.add(name, launch);
        logger.error({ err: error, container: name }, "the end of a container could not be observed");
      },
    );
  }

  private async forget(name: string, entry: Entry): Promise<void> {
    if (this.entries.get(name) !== entry) return;
    entry.unwanted = true;
    this.entries.delete(name);
    this.ended.delete(name);
    for (const [other, child] of this.entries) {
      if (child.launch.containerId.parent !== undefined && other.startsWith(`${name}.`))
        await this.forget(other, child);
    }
    await entry.containerizer?.destroy(entry.launch.containerId);
    if (entry.checkpoint) await this.options.disk.apply([this.options.saved.forget(name)]);
  }

  private write(operations: readonly DiskOperation[]): void {
    this.options.disk
      .apply(operations)
      .catch((error: unknown) =>
        this.options.logger.error({ err: error }, "the agent's state could not be written down"),
      );
  }
}

const depth = ({ parent }: ContainerID): number => (parent === undefined ? 0 : depth(parent) + 1);
