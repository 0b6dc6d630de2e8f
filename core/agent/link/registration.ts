import {
  RegisterSlaveMessage,
  ReregisterSlaveMessage,
  UpdateSlaveMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { type ExecutorInfo, type Resource, type Task, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { MESOS_VERSION } from "../../../sdk/mesos-version.js";
import { convertResources } from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import { AGENT_CAPABILITIES } from "../constants.js";
import { makeTask } from "../tasks/task.js";
import type { NamedMessage } from "./master-link.js";
import type { ResourceVersion } from "./resource-version.js";

/** Masters older than reservation refinement understand only this form; newer ones understand both. */
const old = (resources: readonly Resource[]): Resource[] => convertResources(resources, "pre-refinement");

/**
 * What the agent sends in addition to its report, and again when it changes: all its operations, because the master takes missing ones for
 * lost, and the oversubscribable resources once they are known.
 */
export function updateMessage(
  state: AgentState,
  resourceVersion: Pick<ResourceVersion, "current">,
  more: Pick<UpdateSlaveMessage, "resource_providers"> = {},
): NamedMessage {
  const { oversubscribed } = state;
  const body = UpdateSlaveMessage.encode({
    slave_id: { value: state.id },
    update_oversubscribed_resources: oversubscribed !== undefined,
    oversubscribed_resources: oversubscribed?.toMessages("pre-refinement") ?? [],
    operations: { operations: [...state.operations.values()] },
    resource_version_uuid: { value: resourceVersion.current },
    ...more,
  }).finish();
  return { name: "mesos.internal.UpdateSlaveMessage", body };
}

/** The first time the agent registers with its info only, later with everything that runs on it. */
export function registrationMessage(state: AgentState, resourceVersion: ResourceVersion): NamedMessage {
  const common = {
    version: MESOS_VERSION,
    agent_capabilities: [...AGENT_CAPABILITIES],
    checkpointed_resources: state.checkpointed.toMessages("pre-refinement"),
    resource_version_uuid: { value: resourceVersion.current },
    slave: { ...state.info, resources: old(state.info.resources) },
  };
  if (state.info.id === undefined) {
    const body = RegisterSlaveMessage.encode(common).finish();
    return { name: "mesos.internal.RegisterSlaveMessage", body };
  }
  const body = ReregisterSlaveMessage.encode({
    ...common,
    resource_version_uuid: { value: resourceVersion.renew() },
    frameworks: Array.from(state.frameworks.values(), ({ info }) => info),
    executor_infos: executorsOf(state),
    tasks: tasksOf(state),
    completed_frameworks: Array.from(state.completedFrameworks.values(), ({ info, pid, completed }) => ({
      framework_info: info,
      pid,
      tasks: completed
        .flatMap((executor) => [...executor.terminated.values(), ...executor.completedTasks])
        .map(inOldForm),
    })),
  }).finish();
  return { name: "mesos.internal.ReregisterSlaveMessage", body };
}

/** Without the executors of command tasks, which are internal to the agent, and those that have ended. */
function executorsOf(state: AgentState): ExecutorInfo[] {
  return [...state.executors()]
    .filter((executor) => !executor.generated && executor.state !== "terminated")
    .map(({ info, ids }) => ({
      ...info,
      framework_id: { value: ids.frameworkId },
      resources: old(info.resources),
    }));
}

function tasksOf(state: AgentState): Task[] {
  const tasks: Task[] = [];
  for (const executor of state.executors()) {
    tasks.push(...executor.launched.values(), ...executor.terminated.values());
    for (const info of executor.queued.values()) {
      tasks.push({ ...makeTask(info, executor.ids.frameworkId), state: TaskState.TASK_STAGING });
    }
  }
  return tasks.map(inOldForm);
}

const inOldForm = (task: Task): Task => ({ ...task, resources: old(task.resources) });
