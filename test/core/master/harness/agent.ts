import type { RegisterSlaveMessage } from "../../../../proto/gen/mesos/internal/messages.js";
import {
  ApplyOperationMessage,
  RegisterSlaveMessage as RegisterCodec,
  ReregisterSlaveMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  SlaveRegisteredMessage,
  StatusUpdateMessage,
  UpdateOperationStatusMessage,
  UpdateSlaveMessage,
} from "../../../../proto/gen/mesos/internal/messages.js";
import {
  type AgentInfo,
  AgentInfo_Capability_Type as Capability,
  type ExecutorInfo,
  type FrameworkID,
  type FrameworkInfo,
  OperationState,
  type OperationStatus,
  type Resource,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import type { OutboundMessage } from "../../../../sdk/contracts/message-transport.js";
import { parseResourceList } from "../../../../sdk/resources/index.js";
import type { FakeTransport } from "./fake-transport.js";

export interface TestAgentOptions {
  readonly name: string;
  readonly pid: string;
  readonly resources: string;
  readonly version?: string | undefined;
  /** Names of capabilities that it lacks. */
  readonly without?: readonly string[] | undefined;
}

/** An agent that keeps what it is told to run, and reports what a test wants it to report. */
export class TestAgent {
  id = "";
  pid: string;
  /** Whether pings are answered. */
  answers = true;
  readonly tasks = new Map<string, { info: TaskInfo; framework: FrameworkInfo; state: TaskState }>();
  readonly executors = new Map<string, ExecutorInfo>();
  /** Operations that it was told to do, by their ids, or by `#0`, `#1` in the order in which they came. */
  readonly operations = new Map<string, { message: ApplyOperationMessage; status?: OperationStatus }>();
  /** Reported at registration. */
  checkpointed: readonly Resource[] = [];
  /** Also of tasks that it has forgotten. */
  private readonly frameworkIds = new Map<string, FrameworkID>();
  private updates = 0;
  private resources: string;
  private more: Partial<AgentInfo> = {};

  constructor(
    readonly options: TestAgentOptions,
    private readonly transport: FakeTransport,
  ) {
    this.pid = options.pid;
    this.resources = options.resources;
  }

  /** What the master sent to this agent. */
  take({ from, name, body }: OutboundMessage): void {
    switch (name) {
      case "mesos.internal.PingSlaveMessage":
        if (this.answers) {
          this.transport.deliver(from, {
            from: this.pid,
            name: "mesos.internal.PongSlaveMessage",
            body: new Uint8Array(),
          });
        }
        break;
      case "mesos.internal.SlaveRegisteredMessage":
        this.id = SlaveRegisteredMessage.decode(body).slave_id?.value ?? "";
        break;
      case "mesos.internal.RunTaskMessage": {
        const { task, framework } = RunTaskMessage.decode(body);
        this.run([task!], framework!, task?.executor);
        break;
      }
      case "mesos.internal.ApplyOperationMessage": {
        const message = ApplyOperationMessage.decode(body);
        this.operations.set(message.operation_info?.id?.value ?? `#${this.operations.size}`, { message });
        break;
      }
      case "mesos.internal.RunTaskGroupMessage": {
        const { task_group, framework, executor } = RunTaskGroupMessage.decode(body);
        this.run(task_group!.tasks, framework!, executor);
        break;
      }
    }
  }

  private run(
    tasks: readonly TaskInfo[],
    framework: FrameworkInfo,
    executor: ExecutorInfo | undefined,
  ): void {
    for (const info of tasks) {
      const id = info.task_id?.value ?? "";
      this.tasks.set(id, { info, framework, state: TaskState.TASK_STAGING });
      this.frameworkIds.set(id, framework.id!);
    }
    if (executor !== undefined) this.executors.set(executor.executor_id?.value ?? "", executor);
  }

  /** Restarted with other flags. */
  reconfigure(resources: string, more: Partial<AgentInfo> = {}): void {
    this.resources = resources;
    this.more = more;
  }

  private info(): AgentInfo {
    const list = parseResourceList(this.resources);
    if (!list.ok) throw new Error(list.error);
    const info: AgentInfo = {
      hostname: `host-${this.options.name}`,
      port: 5051,
      resources: list.value,
      attributes: [],
      ...this.more,
    };
    if (this.id !== "") info.id = { value: this.id };
    return info;
  }

  private introduction() {
    const without = this.options.without ?? [];
    const types = Object.values(Capability).filter(
      (type): type is Capability => typeof type === "number" && type > 0,
    );
    return {
      slave: this.info(),
      checkpointed_resources: [...this.checkpointed],
      version: this.options.version ?? "1.12.0",
      agent_capabilities: types
        .filter((type) => !without.includes(Capability[type]))
        .map((type) => ({ type })),
      resource_version_uuid: { value: Buffer.alloc(16, 9) },
    };
  }

  register(change: (message: RegisterSlaveMessage) => RegisterSlaveMessage = (message) => message): void {
    const message = change(this.introduction());
    this.say("RegisterSlaveMessage", RegisterCodec.encode(message).finish());
  }

  /**
   * Reports the tasks and executors that it has.
   *
   * @param unknown names of those that it did not have yet when it wrote the report
   */
  reregister(completedFrameworks: readonly FrameworkInfo[] = [], unknown: readonly string[] = []): void {
    const running = [...this.tasks].filter(([id]) => !unknown.includes(id)).map(([, task]) => task);
    const frameworks = new Map(
      [...running.map(({ framework }) => framework), ...completedFrameworks].map((info) => [
        info.id?.value,
        info,
      ]),
    );
    const message: ReregisterSlaveMessage = {
      ...this.introduction(),
      executor_infos: [...this.executors].filter(([id]) => !unknown.includes(id)).map(([, info]) => info),
      frameworks: [...frameworks.values()],
      completed_frameworks: [],
      tasks: running.map(({ info, framework, state }) => ({
        name: info.name,
        task_id: info.task_id,
        framework_id: framework.id,
        agent_id: { value: this.id },
        executor_id: info.executor?.executor_id,
        state,
        resources: info.resources,
        statuses: [],
        limits: {},
      })),
    };
    this.say("ReregisterSlaveMessage", ReregisterSlaveMessage.encode(message).finish());
  }

  /** Reports a state of a task. Returns the UUID. */
  update(taskId: string, state: TaskState, more: Partial<TaskStatus> & { latest?: TaskState } = {}): Buffer {
    const { latest, ...facts } = more;
    const task = this.tasks.get(taskId);
    if (task !== undefined) task.state = latest ?? state;
    const uuid = Buffer.alloc(16);
    uuid.writeUInt8(++this.updates, 15);
    const body = StatusUpdateMessage.encode({
      update: {
        framework_id: this.frameworkIds.get(taskId) ?? { value: "unknown" },
        slave_id: { value: this.id },
        executor_id: task?.info.executor?.executor_id ?? { value: taskId },
        status: { task_id: { value: taskId }, state, source: 2, uuid, ...facts },
        timestamp: 1,
        uuid,
        latest_state: latest ?? state,
      },
      pid: this.pid,
    }).finish();
    this.say("StatusUpdateMessage", body);
    return uuid;
  }

  /** Reports how an operation ended. Returns the UUID of the status. */
  applied(name: string, state: OperationState): Buffer {
    const operation = this.operations.get(name);
    if (operation === undefined) throw new Error(`agent ${this.options.name} was told no operation ${name}`);
    const uuid = Buffer.alloc(16);
    uuid.writeUInt8(++this.updates, 15);
    operation.status = {
      operation_id: operation.message.operation_info?.id,
      state,
      converted_resources: [],
      uuid: { value: uuid },
      agent_id: { value: this.id },
    };
    this.repeat(name);
    return uuid;
  }

  /** Reports once more how an operation ended. */
  repeat(name: string): void {
    const { message, status } = this.operations.get(name)!;
    const { framework_id, operation_uuid } = message;
    const body = UpdateOperationStatusMessage.encode({
      framework_id,
      slave_id: { value: this.id },
      status,
      operation_uuid,
    }).finish();
    this.say("UpdateOperationStatusMessage", body);
  }

  /** Tells the master of all operations with these names, as agents do when they have registered. */
  reportOperations(names: readonly string[]): void {
    const operations = names.map((name) => {
      const { message, status } = this.operations.get(name)!;
      const { framework_id, operation_info: info, operation_uuid: uuid } = message;
      const latest_status = status ?? { state: OperationState.OPERATION_PENDING, converted_resources: [] };
      return { framework_id, info, uuid, latest_status, statuses: status === undefined ? [] : [status] };
    });
    const body = UpdateSlaveMessage.encode({
      slave_id: { value: this.id },
      update_oversubscribed_resources: false,
      oversubscribed_resources: [],
      operations: { operations },
      resource_version_uuid: { value: Buffer.alloc(16, 9) },
    }).finish();
    this.say("UpdateSlaveMessage", body);
  }

  /** Sends any message to the master. */
  say(name: string, body: Uint8Array): void {
    this.transport.deliver("master", { from: this.pid, name: `mesos.internal.${name}`, body });
  }
}
