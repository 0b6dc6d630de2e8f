import { Agent } from "../../../../core/agent/agent.js";
import type { Disk, DiskOperation } from "../../../../core/agent/disk/operations.js";
import type { AgentOptions } from "../../../../core/agent/options.js";
import type { StatusUpdate } from "../../../../proto/gen/mesos/internal/messages.js";
import type { Call } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import { type Event, Event_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import {
  type CommandInfo,
  type FrameworkInfo,
  type Resource,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
  Value_Type,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import type { Checker } from "../../../../sdk/contracts/checker.js";
import { MetricsRegistry } from "../../../../sdk/contracts/metrics-registry.js";
import { MemoryLogger } from "../../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../../sdk/testing/virtual-clock.js";
import { ScriptedContainerizer } from "./scripted-containerizer.js";
import { ScriptedEstimator } from "./scripted-estimator.js";
import { ScriptedMaster } from "./scripted-master.js";
import { ScriptedQoSController } from "./scripted-qos-controller.js";

export const AGENT_ID = "m-S0";
export const FRAMEWORK_ID = "m-0000";

export const scalar = (name: string, value: number, role?: string): Resource => ({
  name,
  type: Value_Type.SCALAR,
  scalar: { value },
  reservations: [],
  ...(role !== undefined && { allocation_info: { role } }),
});

/** What the flags of an agent are when none is given. */
export const AGENT_OPTIONS: AgentOptions = {
  workDir: "/srv",
  resources: undefined,
  attributes: undefined,
  defaultRole: "*",
  hostname: undefined,
  switchUser: true,
  registrationBackoffFactor: 1000,
  executorRegistrationTimeout: 60_000,
  executorReregistrationTimeout: 2000,
  executorShutdownGracePeriod: 5000,
  recover: "reconnect",
  reconfigurationPolicy: "equal",
  strict: true,
  recoveryTimeout: 900_000,
  executorEnvironment: {},
  maxCompletedExecutorsPerFramework: 150,
  cgroupsEnableCfs: false,
  gcDelay: 604_800_000,
  gcDiskHeadroom: 0.1,
  diskWatchInterval: 60_000,
  gcNonExecutorContainerSandboxes: false,
  oversubscribedResourcesInterval: 15_000,
  qosCorrectionInterval: 0,
};

/** Remembers what was asked of it. Fails what `failing` picks. */
export class MemoryDisk implements Disk {
  readonly operations: DiskOperation[] = [];
  failing: (operation: DiskOperation) => boolean = () => false;
  private slow: { readonly part: string; readonly released: Promise<void> } | undefined;

  /** What touches a path with this in it waits from now on, until the function is called that this returns. */
  hold(part = ""): () => void {
    let release = (): void => undefined;
    this.slow = { part, released: new Promise((resolve) => (release = resolve)) };
    return () => release();
  }

  async apply(operations: readonly DiskOperation[]): Promise<void> {
    const { slow } = this;
    if (slow !== undefined && operations.some(({ path }) => path.includes(slow.part))) await slow.released;
    for (const operation of operations) {
      if (this.failing(operation)) throw new Error(`cannot ${operation.op} '${operation.path}'`);
      this.operations.push(operation);
    }
  }

  discard(path: string): Promise<void> {
    return this.apply([{ op: "remove", path }]);
  }

  finishDiscard(aside: string): Promise<void> {
    return this.apply([{ op: "remove", path: aside }]);
  }

  async resumeDiscards(): Promise<void> {}

  paths(op: DiskOperation["op"]): string[] {
    return this.operations.filter((operation) => operation.op === op).map(({ path }) => path);
  }
}

/** An agent with everything around it scripted, on virtual time. */
export class AgentBench {
  readonly clock = new VirtualClock();
  readonly master = new ScriptedMaster();
  readonly containerizer = new ScriptedContainerizer();
  readonly checkers = new Map<string, Checker>();
  readonly disk = new MemoryDisk();
  readonly logger = new MemoryLogger();
  readonly metrics = new MetricsRegistry(this.clock);
  readonly estimator = new ScriptedEstimator();
  readonly qosController = new ScriptedQoSController();
  finished = false;
  diskUsage = 0;
  readonly agent: Agent;

  constructor(options: Partial<AgentOptions> = {}) {
    this.agent = new Agent({
      options: { ...AGENT_OPTIONS, ...options },
      info: {
        hostname: "agent.example",
        port: 5051,
        resources: [scalar("cpus", 4), scalar("mem", 4096)],
        attributes: [],
      },
      ip: "10.0.0.2",
      containerizers: [this.containerizer],
      checkers: this.checkers,
      election: this.master,
      transport: this.master,
      estimator: this.estimator,
      qosController: this.qosController,
      disk: this.disk,
      diskUsage: async () => this.diskUsage,
      clock: this.clock,
      random: new SeededRandom(1),
      logger: this.logger,
      metrics: this.metrics,
      finished: () => {
        this.finished = true;
      },
    });
  }

  /** Started, and taken by the master. */
  static async registered(options: Partial<AgentOptions> = {}): Promise<AgentBench> {
    const bench = new AgentBench(options);
    bench.agent.start();
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveRegisteredMessage", { slave_id: { value: AGENT_ID } });
    return bench;
  }

  /** Lets what is under way settle, without time passing. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  framework(more: Partial<FrameworkInfo> = {}): FrameworkInfo {
    return {
      id: { value: FRAMEWORK_ID },
      user: "nobody",
      name: "test",
      roles: [],
      capabilities: [],
      offer_filters: {},
      ...more,
    };
  }

  task(id: string, more: Partial<TaskInfo> = {}): TaskInfo {
    return {
      name: id,
      task_id: { value: id },
      agent_id: { value: AGENT_ID },
      resources: [scalar("cpus", 1, "*"), scalar("mem", 64, "*")],
      limits: {},
      ...(more.executor === undefined && { command: this.command("true") }),
      ...more,
    };
  }

  command(value: string): CommandInfo {
    return { value, uris: [], arguments: [] };
  }

  custom(executorId: string): TaskInfo["executor"] {
    return {
      executor_id: { value: executorId },
      command: this.command("./executor"),
      resources: [scalar("cpus", 0.1, "*")],
    };
  }

  run(task: TaskInfo, framework: FrameworkInfo = this.framework(), launchExecutor?: boolean): void {
    this.master.say("RunTaskMessage", {
      framework,
      task,
      resource_version_uuids: [],
      ...(launchExecutor !== undefined && { launch_executor: launchExecutor }),
    });
  }

  kill(taskId: string, graceSeconds?: number): void {
    this.master.say("KillTaskMessage", {
      framework_id: { value: FRAMEWORK_ID },
      task_id: { value: taskId },
      ...(graceSeconds !== undefined && {
        kill_policy: { grace_period: { nanoseconds: BigInt(graceSeconds * 1e9) } },
      }),
    });
  }

  /** Updates as they were sent, repetitions included. */
  get updates(): StatusUpdate[] {
    return this.master.heard("StatusUpdateMessage").map(({ update }) => update!);
  }

  acknowledge(update: StatusUpdate): void {
    this.master.say("StatusUpdateAcknowledgementMessage", {
      slave_id: { value: AGENT_ID },
      framework_id: update.framework_id,
      task_id: update.status!.task_id,
      uuid: update.uuid,
    });
  }

  /** Acknowledges whatever comes, until nothing new does. Returns all statuses of the task, in order. */
  async drain(taskId: string): Promise<TaskStatus[]> {
    const done = new Set<string>();
    for (;;) {
      await this.settle();
      const open = this.updates.filter(({ uuid }) => !done.has(uuid!.toString("hex")));
      if (open.length === 0) break;
      for (const update of open) {
        done.add(update.uuid!.toString("hex"));
        this.acknowledge(update);
      }
    }
    const seen = new Map(this.updates.map((update) => [update.uuid!.toString("hex"), update.status!]));
    return [...seen.values()].filter(({ task_id }) => task_id!.value === taskId);
  }

  subscribe(executorId: string, subscribe: Partial<NonNullable<Call["subscribe"]>> = {}): ScriptedExecutor {
    const executor = new ScriptedExecutor();
    const call = executorCall(executorId, {
      type: 1,
      subscribe: { unacknowledged_tasks: [], unacknowledged_updates: [], ...subscribe },
    });
    executor.session = this.agent.calls.subscribe({ call, connection: executor });
    return executor;
  }
}

export const executorCall = (executorId: string, call: Partial<Call>): Call => ({
  executor_id: { value: executorId },
  framework_id: { value: FRAMEWORK_ID },
  ...call,
});

export class ScriptedExecutor {
  readonly events: Event[] = [];
  closed = false;
  session: { disconnected(): void } | undefined;

  send(event: Event): boolean {
    this.events.push(event);
    return true;
  }

  close(): void {
    this.closed = true;
  }

  get types(): string[] {
    return this.events.map(({ type }) => Event_Type[type!]!);
  }
}

/** `TASK_FAILED reason=REASON_X: message`, for tests that read as text. */
export function line(status: TaskStatus): string {
  const reason = status.reason === undefined ? "" : ` ${TaskStatus_Reason[status.reason]}`;
  const message = status.message === undefined ? "" : `: ${status.message}`;
  return `${TaskState[status.state!]}${reason}${message}`;
}
