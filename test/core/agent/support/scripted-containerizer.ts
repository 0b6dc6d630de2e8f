import type {
  ContainerID,
  ContainerStatus,
  ResourceStatistics,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import type {
  Containerizer,
  ContainerRequest,
  ContainerTermination,
  RecoverableContainer,
  TaskFeature,
} from "../../../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../../../sdk/errors/index.js";
import { containerName } from "../../../../sdk/ids/index.js";
import type { Resources } from "../../../../sdk/resources/index.js";

export class ScriptedContainer {
  readonly signals: number[] = [];
  readonly sizes: Resources[] = [];
  readonly limits: Readonly<Record<string, number>>[] = [];
  destroyed = false;
  readonly ended: Promise<ContainerTermination>;
  private end!: (termination: ContainerTermination) => void;

  constructor(readonly request: ContainerRequest) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** Its main process exits by itself. */
  exit(code: number): void {
    this.end({ exit: { code, signal: undefined } });
  }

  /** Ends it in another way. */
  terminate(termination: ContainerTermination): void {
    this.end(termination);
  }
}

/** Containers without processes: tests say how they fare. A SIGKILL ends one; so does destroying it. */
export class ScriptedContainerizer implements Containerizer {
  readonly name = "scripted";
  taskNoun: "Command" | "Container" = "Command";
  data: Buffer | undefined;
  readonly launched: ScriptedContainer[] = [];
  recovered: readonly RecoverableContainer[] = [];
  /** Set to refuse launches, or to keep them from finishing. */
  beforeLaunch: (request: ContainerRequest) => Promise<boolean> = async () => true;
  updateFailure: Error | undefined;
  /** Does not know its containers any more when it is asked for their status. */
  forgetful = false;
  /** What `supports` says yes to. */
  readonly features = new Set<TaskFeature>();
  /** Set to keep updates from finishing. */
  beforeUpdate: () => Promise<void> = async () => undefined;
  private readonly byId = new Map<string, ScriptedContainer>();

  /** The one that runs for the executor (or command task). */
  of(executorId: string): ScriptedContainer {
    const found = this.launched.findLast(({ request }) => request.executorId === executorId);
    if (found === undefined) throw new Error(`no container was launched for '${executorId}'`);
    return found;
  }

  async launch(request: ContainerRequest): Promise<boolean> {
    if (!(await this.beforeLaunch(request))) return false;
    this.adopt(request);
    return true;
  }

  adopt(request: ContainerRequest): ScriptedContainer {
    const container = new ScriptedContainer(request);
    this.launched.push(container);
    this.byId.set(containerName(request.containerId), container);
    return container;
  }

  taskData(): Buffer | undefined {
    return this.data;
  }

  supports(feature: TaskFeature): boolean {
    return this.features.has(feature);
  }

  async update(
    containerId: ContainerID,
    resources: Resources,
    limits: Readonly<Record<string, number>>,
  ): Promise<void> {
    await this.beforeUpdate();
    if (this.updateFailure !== undefined) throw this.updateFailure;
    const container = this.byId.get(containerName(containerId));
    container?.sizes.push(resources);
    container?.limits.push(limits);
  }

  async usage(containerId: ContainerID): Promise<ResourceStatistics> {
    throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: containerId.value! });
  }

  async status(containerId: ContainerID): Promise<ContainerStatus> {
    if (this.forgetful) throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: containerId.value! });
    return { container_id: containerId, network_infos: [], executor_pid: 4242 };
  }

  async wait(containerId: ContainerID): Promise<ContainerTermination | undefined> {
    return this.byId.get(containerName(containerId))?.ended;
  }

  async signal(containerId: ContainerID, signal: number): Promise<boolean> {
    const container = this.byId.get(containerName(containerId));
    container?.signals.push(signal);
    if (signal === 9) container?.terminate({ exit: { code: undefined, signal } });
    return container !== undefined;
  }

  async destroy(containerId: ContainerID): Promise<void> {
    const container = this.byId.get(containerName(containerId));
    if (container === undefined) return;
    container.destroyed = true;
    container.terminate({ exit: { code: undefined, signal: 9 } });
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    this.recovered = containers;
    for (const { request } of containers) this.adopt(request);
  }

  containers(): readonly ContainerID[] {
    return this.launched.map(({ request }) => request.containerId);
  }
}
