import type { Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import { Event_Type as Type } from "../../proto/gen/mesos/v1/executor/executor.js";
import type {
  AgentInfo,
  ContainerID,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  TaskGroupInfo,
  TaskID,
  TaskInfo,
} from "../../proto/gen/mesos/v1/mesos.js";

/**
 * What an executor is told, told apart by `type`. Names are those of the wire (`mesos.v1.executor.Event`), in lower case; `disconnected` is
 * the client's own.
 */
export type ExecutorEvent =
  | {
      readonly type: "subscribed";
      readonly executor_info: ExecutorInfo;
      readonly framework_info: FrameworkInfo;
      readonly agent_info: AgentInfo;
      readonly container_id: ContainerID | undefined;
    }
  | { readonly type: "launch"; readonly task: TaskInfo }
  /** All of these or none. */
  | { readonly type: "launch_group"; readonly task_group: TaskGroupInfo }
  | { readonly type: "kill"; readonly task_id: TaskID; readonly kill_policy: KillPolicy | undefined }
  /** The agent has an update for good. */
  | { readonly type: "acknowledged"; readonly task_id: TaskID; readonly uuid: Uint8Array }
  | { readonly type: "message"; readonly data: Uint8Array }
  /** End all tasks, report them, and be gone before the grace period is over. Also when the agent is gone for good. */
  | { readonly type: "shutdown" }
  | { readonly type: "heartbeat" }
  | { readonly type: "disconnected"; readonly reason: string };

export type ExecutorEventOf<T extends ExecutorEvent["type"]> = Extract<ExecutorEvent, { type: T }>;

/** The typed form; undefined for ERROR, for a type of a later version, and for an event without the part that its type needs. */
export function executorEvent(event: Event): ExecutorEvent | undefined {
  switch (event.type) {
    case Type.SUBSCRIBED: {
      const { executor_info, framework_info, agent_info, container_id } = event.subscribed ?? {};
      if (executor_info === undefined || framework_info === undefined || agent_info === undefined)
        return undefined;
      return { type: "subscribed", executor_info, framework_info, agent_info, container_id };
    }
    case Type.LAUNCH:
      return event.launch?.task && { type: "launch", task: event.launch.task };
    case Type.LAUNCH_GROUP: {
      const task_group = event.launch_group?.task_group;
      return task_group && { type: "launch_group", task_group };
    }
    case Type.KILL: {
      const { task_id, kill_policy } = event.kill ?? {};
      return task_id && { type: "kill", task_id, kill_policy };
    }
    case Type.ACKNOWLEDGED: {
      const { task_id, uuid } = event.acknowledged ?? {};
      return task_id && uuid && { type: "acknowledged", task_id, uuid };
    }
    case Type.MESSAGE:
      return event.message?.data && { type: "message", data: event.message.data };
    case Type.SHUTDOWN:
      return { type: "shutdown" };
    case Type.HEARTBEAT:
      return { type: "heartbeat" };
    default:
      return undefined;
  }
}
