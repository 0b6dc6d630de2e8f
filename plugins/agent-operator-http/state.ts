import type {
  Response_GetExecutors,
  Response_GetFrameworks,
  Response_GetTasks,
} from "../../proto/gen/mesos/v1/agent/agent.js";
import type { Task } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentExecutorView, AgentFrameworkView, AgentView } from "../../sdk/contracts/agent-view.js";
import { makeTask } from "../../sdk/make-task.js";

export function frameworksOf(view: AgentView): Response_GetFrameworks {
  const shown = ({ info }: AgentFrameworkView) => ({ framework_info: info });
  return {
    frameworks: Array.from(view.frameworks(), shown),
    completed_frameworks: Array.from(view.completedFrameworks(), shown),
  };
}

/** Executors count as completed one by one: also those of a framework that has others. */
export function executorsOf(view: AgentView): Response_GetExecutors {
  const all = [...view.frameworks(), ...view.completedFrameworks()];
  const shown = ({ info }: AgentExecutorView) => ({ executor_info: info });
  return {
    executors: all.flatMap(({ executors }) => Array.from(executors, shown)),
    completed_executors: all.flatMap(({ completedExecutors }) => Array.from(completedExecutors, shown)),
  };
}

/** By how far each has come. None is pending: a task has its executor in the turn in which it comes. */
export function tasksOf(view: AgentView): Response_GetTasks {
  const tasks: Response_GetTasks = {
    pending_tasks: [],
    queued_tasks: [],
    launched_tasks: [],
    terminated_tasks: [],
    completed_tasks: [],
  };
  for (const framework of [...view.frameworks(), ...view.completedFrameworks()]) {
    for (const executor of [...framework.executors, ...framework.completedExecutors])
      addTasks(tasks, executor, framework.id);
  }
  return tasks;
}

function addTasks(to: Response_GetTasks, executor: AgentExecutorView, frameworkId: string): void {
  const add = (list: Task[], tasks: Iterable<Task>): void => {
    for (const task of tasks) list.push(task);
  };
  for (const info of executor.queuedTasks) to.queued_tasks.push(makeTask(info, frameworkId));
  add(to.launched_tasks, executor.tasks);
  add(to.terminated_tasks, executor.terminatedTasks);
  add(to.completed_tasks, executor.completedTasks);
}
