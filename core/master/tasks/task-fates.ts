import type {
  TaskStatus_Reason as Reason,
  TaskState,
  TaskStatus,
  TimeInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { MasterContext } from "../context.js";
import { update } from "../frameworks/events.js";
import type { Framework } from "../frameworks/framework.js";
import { masterStatus } from "./status.js";
import type { TaskEntry } from "./task.js";

/** How the tasks of a removed agent end. */
export interface TaskFate {
  readonly state: TaskState;
  readonly reason: Reason;
  readonly message: string;
  /** They may come back: kept among the framework's unreachable tasks. */
  readonly unreachable?: boolean;
  readonly unreachableTime?: TimeInfo;
}

/** Ends the tasks of lost agents and tells their schedulers. */
export class TaskFates {
  constructor(private readonly context: Pick<MasterContext, "clock" | "ledger">) {}

  end(task: TaskEntry, framework: Framework, fate: TaskFate): void {
    this.tell(task, framework, fate);
    this.context.ledger.removeTask(task, { unreachable: fate.unreachable ?? false });
  }

  /** A task that counted as unreachable will not come back. */
  endUnreachable(task: TaskEntry, framework: Framework, fate: TaskFate): void {
    this.tell(task, framework, fate);
    framework.unreachable.delete(task.id);
    framework.completed.add(task.message);
  }

  private tell(task: TaskEntry, framework: Framework, fate: TaskFate): void {
    const status: TaskStatus = masterStatus({
      taskId: task.message.task_id,
      agentId: task.message.agent_id,
      executorId: task.message.executor_id,
      state: fate.state,
      reason: fate.reason,
      message: fate.message,
      now: this.context.clock.now(),
      unreachableTime: fate.unreachableTime,
    });
    this.context.ledger.updateTask(task, status);
    if (framework.connected) framework.send(update(status));
  }
}
