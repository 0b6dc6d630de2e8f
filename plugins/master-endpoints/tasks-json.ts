import type { Task } from "../../proto/gen/mesos/v1/mesos.js";
import type { FrameworkRecord, MasterView } from "../../sdk/contracts/master-view.js";
import { listOf, taskJson } from "../../sdk/v0-json/index.js";

const DEFAULT_LIMIT = 100;

/** GET /tasks?framework_id=&task_id=&limit=&offset=&order=: tasks by the time of their first status, latest first. */
export function tasksJson(view: MasterView, query: URLSearchParams): string {
  const frameworkId = query.get("framework_id");
  const taskId = query.get("task_id");
  const tasks: Task[] = [];
  for (const framework of [...view.frameworks(), ...view.completedFrameworks()]) {
    if (frameworkId !== null && framework.id !== frameworkId) continue;
    for (const task of tasksOf(framework)) {
      if (taskId === null || task.task_id?.value === taskId) tasks.push(task);
    }
  }
  tasks.sort(query.get("order") === "asc" ? oldestFirst : latestFirst);
  // Negative numbers are huge ones to Mesos: all tasks, or none.
  const limit = countOf(query.get("limit"), DEFAULT_LIMIT);
  const offset = countOf(query.get("offset"), 0);
  return `{"tasks":${listOf(tasks.slice(offset, offset + limit), taskJson)}}`;
}

function* tasksOf(framework: FrameworkRecord): Iterable<Task> {
  yield* framework.tasks.values();
  yield* framework.unreachableTasks;
  yield* framework.completedTasks;
}

/** Tasks without any status are the oldest. */
function oldestFirst(left: Task, right: Task): number {
  return firstTime(left) - firstTime(right) || 0;
}

function latestFirst(left: Task, right: Task): number {
  // To Mesos tasks without any status come first here, too.
  if (left.statuses.length === 0 || right.statuses.length === 0) {
    return Math.sign(left.statuses.length) - Math.sign(right.statuses.length);
  }
  return firstTime(right) - firstTime(left);
}

function firstTime(task: Task): number {
  return task.statuses.length === 0 ? Number.NEGATIVE_INFINITY : (task.statuses[0]!.timestamp ?? 0);
}

function countOf(text: string | null, fallback: number): number {
  if (text === null || !/^[+-]?\d+$/.test(text)) return fallback;
  const count = Number(text);
  return count < 0 ? Number.POSITIVE_INFINITY : count;
}
