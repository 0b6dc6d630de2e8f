import type { Task, TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { SavedTask } from "./saved-state.js";

/** The task as requested, as far as the agent needs it from here on. */
export function definitionOf({ task, definition }: SavedTask): TaskInfo {
  if (definition !== undefined) return definition;
  const { name, task_id, agent_id, resources, health_check, kill_policy, limits }: Task = task;
  return { name, task_id, agent_id, resources, health_check, kill_policy, limits };
}
