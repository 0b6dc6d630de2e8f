import { TaskState } from "../proto/gen/mesos/v1/mesos.js";

const TERMINAL = new Set<TaskState | undefined>([
  TaskState.TASK_FINISHED,
  TaskState.TASK_FAILED,
  TaskState.TASK_KILLED,
  TaskState.TASK_LOST,
  TaskState.TASK_ERROR,
  TaskState.TASK_DROPPED,
  TaskState.TASK_GONE,
  TaskState.TASK_GONE_BY_OPERATOR,
]);

/** True for states that a task never leaves. TASK_UNREACHABLE and TASK_UNKNOWN are not among them. */
export function isTerminal(state: TaskState | undefined): boolean {
  return TERMINAL.has(state);
}

/** True while the task holds its resources: neither ended nor out of reach. */
export function holdsResources(state: TaskState | undefined): boolean {
  return !TERMINAL.has(state) && state !== TaskState.TASK_UNREACHABLE;
}

/** Statuses that are kept of a task: the first, and the latest. Few tasks have ten. */
export const MAX_TASK_STATUSES = 100;
