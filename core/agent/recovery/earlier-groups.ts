import type { TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { EarlierTask } from "../pods/default-executor-host.js";
import type { SavedExecutor } from "./saved-state.js";
import { definitionOf } from "./task-definition.js";

/**
 * What an earlier run of the agent launched in a pod, group by group. A group whose records are incomplete was never started; the master
 * learns that its tasks are not here.
 */
export function earlierGroups({ tasks, groups }: SavedExecutor): EarlierTask[][] {
  const saved = new Map(tasks.map((task) => [task.task.task_id!.value!, task]));
  const earlierOf = (taskId: string, info: TaskInfo): EarlierTask => {
    const { updates, kill } = saved.get(taskId)!;
    return { info, statuses: updates.flatMap(({ status }) => (status === undefined ? [] : [status])), kill };
  };
  const earlier: EarlierTask[][] = [];
  const grouped = new Set<string>();
  for (const group of groups) {
    const ids = group.tasks.map(({ task_id }) => task_id!.value!);
    if (!ids.every((id) => saved.has(id))) continue;
    for (const id of ids) grouped.add(id);
    earlier.push(group.tasks.map((info, i) => earlierOf(ids[i]!, info)));
  }
  // The record of their group is lost, so each is handled by itself.
  for (const [id, task] of saved)
    if (!grouped.has(id) && task.updates.length > 0) earlier.push([earlierOf(id, definitionOf(task))]);
  return earlier;
}
