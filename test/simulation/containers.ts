import {
  type ContainerID,
  type ContainerStatus,
  ExecutorInfo_Type,
  type ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import type {
  Containerizer,
  ContainerRequest,
  ContainerTermination,
  RecoverableContainer,
} from "../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { SimulatedProcess } from "./process.js";
import type { World } from "./world.js";

/** A container on a machine. It does not need the agent to keep running. */
export interface RunningContainer {
  readonly request: ContainerRequest;
  readonly agent: string;
  /** Undefined for an executor, whose tasks are nested in it. */
  readonly taskId: string | undefined;
  /** A process of a custom executor, in its container: no containerizer knows about it. */
  readonly isProcess: boolean;
  termination: ContainerTermination | undefined;
  /** Destroyed: nothing is left of it. */
  gone: boolean;
  /** Somebody took its sandbox away. */
  homeless: boolean;
  readonly watchers: Set<() => void>;
}

/** Notified of what happens to containers, whoever caused it. */
export interface ContainerObserver {
  started(container: RunningContainer): void;
  lostPower(host: ContainerHost): void;
}

const SIGKILL = 9;
const KILLED: ContainerTermination = { exit: { code: undefined, signal: SIGKILL } };

/** Tasks of pods are identified by their commands, in containers nested in those of their executors. */
function taskOf({ containerId, command, task }: ContainerRequest): string | undefined {
  return task?.task_id?.value ?? (containerId.parent === undefined ? undefined : command.value);
}

const nameOf = ({ taskId, request }: RunningContainer): string => taskId ?? `executor ${request.executorId}`;

/** Whether a program of its framework runs in it, rather than the agent's built-in executor. */
const isCustom = ({ taskId, request }: RunningContainer): boolean =>
  taskId === undefined && request.executor.type !== ExecutorInfo_Type.DEFAULT;

/** What runs on one machine. Containers end by themselves, by signals and by power failures. */
export class ContainerHost {
  readonly containers = new Map<string, RunningContainer>();

  constructor(
    private readonly world: World,
    readonly name: string,
    private readonly observer: ContainerObserver,
    /** Does what the program of a custom executor does. */
    private readonly runExecutor: (container: RunningContainer) => void,
  ) {}

  start(request: ContainerRequest): void {
    const container = this.add(request, false);
    if (isCustom(container)) this.runExecutor(container);
  }

  /** An executor starts a task itself. */
  startProcess(request: ContainerRequest): RunningContainer {
    return this.add(request, true);
  }

  private add(request: ContainerRequest, isProcess: boolean): RunningContainer {
    const container: RunningContainer = {
      request,
      agent: this.name,
      taskId: taskOf(request),
      isProcess,
      termination: undefined,
      gone: false,
      homeless: false,
      watchers: new Set(),
    };
    this.containers.set(request.containerId.value!, container);
    this.world.note(`${this.name} host: container of ${nameOf(container)} runs`);
    this.observer.started(container);
    return container;
  }

  get running(): RunningContainer[] {
    return [...this.containers.values()].filter(({ termination }) => termination === undefined);
  }

  end(container: RunningContainer, termination: ContainerTermination): void {
    if (container.termination !== undefined) return;
    container.termination = termination;
    // All processes in the container end with the first one.
    const { value } = container.request.containerId;
    for (const inner of this.running)
      if (inner.request.containerId.parent?.value === value) this.end(inner, KILLED);
    const { code, signal } = termination.exit ?? {};
    const how = code === undefined ? `signal ${signal}` : `exit ${code}`;
    this.world.note(`${this.name} host: container of ${nameOf(container)} ends (${how})`);
    for (const told of container.watchers) told();
    container.watchers.clear();
  }

  remove(container: RunningContainer): void {
    this.end(container, KILLED);
    container.gone = true;
    const id = container.request.containerId.value!;
    this.containers.delete(id);
    for (const inner of [...this.containers.values()])
      if (inner.request.containerId.parent?.value === id) this.remove(inner);
  }

  /** Nothing is left, and nobody will know how it ended. */
  losePower(): void {
    this.observer.lostPower(this);
    for (const container of [...this.containers.values()]) this.remove(container);
  }
}

/** One agent process's access to the containers of its machine. Everything takes some time, and may be interrupted. */
export class SimulatedContainerizer implements Containerizer {
  readonly name = "simulated";
  private readonly known = new Map<string, RunningContainer | undefined>();

  constructor(
    private readonly host: ContainerHost,
    private readonly process: SimulatedProcess,
    /** Ignores what is running when it starts: a mutation. */
    private readonly forgetful = false,
  ) {}

  async launch(request: ContainerRequest): Promise<boolean> {
    const id = request.containerId.value!;
    this.known.set(id, undefined);
    const { dice } = this.process.world;
    await this.after(dice.exponential(20));
    if (!this.known.has(id))
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { text: "destroyed while it started" });
    if (dice.chance(0.03)) {
      this.known.delete(id);
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { text: "the program is missing" });
    }
    const { parent } = request.containerId;
    if (parent !== undefined && this.host.containers.get(parent.value!)?.termination !== undefined) {
      this.known.delete(id);
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { text: "what it was to be in has ended" });
    }
    this.host.start(request);
    this.known.set(id, this.host.containers.get(id));
    await this.after(dice.exponential(5));
    return true;
  }

  async update(): Promise<void> {
    await this.after(1);
  }

  async usage(containerId: ContainerID): Promise<ResourceStatistics> {
    throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: containerId.value! });
  }

  async status(containerId: ContainerID): Promise<ContainerStatus> {
    await this.after(0.5);
    return { container_id: containerId, network_infos: [], executor_pid: 4242 };
  }

  async wait(containerId: ContainerID): Promise<ContainerTermination | undefined> {
    const container = this.known.get(containerId.value!);
    if (container === undefined) return undefined;
    if (container.termination === undefined) {
      await new Promise<void>((ended) => {
        container.watchers.add(() => this.process.input(this.process.world.dice.exponential(3), ended));
      });
    }
    return container.termination;
  }

  async signal(containerId: ContainerID, signal: number): Promise<boolean> {
    const container = this.known.get(containerId.value!);
    if (container === undefined || container.termination !== undefined) return false;
    const { world } = this.process;
    const { dice } = world;
    const after = signal === SIGKILL ? 1 : dice.exponential(1000);
    // Some ignore SIGTERM.
    if (signal === SIGKILL || dice.chance(0.8)) {
      world.schedule(after, () => this.host.end(container, { exit: { code: undefined, signal } }));
    }
    await this.after(0.5);
    return true;
  }

  async destroy(containerId: ContainerID): Promise<void> {
    const id = containerId.value!;
    await this.after(this.process.world.dice.exponential(10));
    // A launch in progress may have got this far in the meantime.
    const container = this.known.get(id);
    this.known.delete(id);
    for (const [inner, one] of this.known)
      if (one?.request.containerId.parent?.value === id) this.known.delete(inner);
    if (container !== undefined && !container.gone) this.host.remove(container);
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    await this.after(this.process.world.dice.exponential(20));
    if (this.forgetful) return;
    const wanted = new Set(containers.map(({ request }) => request.containerId.value!));
    for (const [id, container] of [...this.host.containers]) {
      if (container.isProcess) continue;
      if (wanted.has(id)) this.known.set(id, container);
      else this.host.remove(container);
    }
  }

  containers(): readonly ContainerID[] {
    return [...this.known.values()].flatMap((container) =>
      container === undefined ? [] : [container.request.containerId],
    );
  }

  /** Nothing continues in a process that has died. */
  private after(ms: number): Promise<void> {
    return new Promise((resolve) => this.process.input(ms, resolve));
  }
}
