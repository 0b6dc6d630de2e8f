import type { TaskInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { type PartialMessage, resourceList } from "../../sdk/index.js";
import type { SeededRandom } from "../../sdk/testing/seeded-random.js";

/** A task whose end is known before it runs. */
export interface SoakTask {
  readonly id: string;
  /** Shell commands. */
  readonly script: string;
  readonly end: { readonly state: TaskState; readonly message: string };
  /** When the scheduler asks for its end, where it does. */
  readonly killAfterMs?: number;
}

export const TAG_VARIABLE = "TEPUI_SOAK";
export const TASK_RESOURCES = resourceList("cpus:0.1;mem:32");

/** Short ones, for the launch and the exit; some that leave processes behind; some that die of a signal; some that are killed. */
export function anyTask(id: string, random: SeededRandom): SoakTask {
  const seconds = (random.next() * 1.5).toFixed(2);
  const code = Math.floor(random.next() * 4) * 41;
  const exited = {
    state: code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED,
    message: `Command exited with status ${code}`,
  };
  switch (Math.floor(random.next() * 5)) {
    case 0:
      return { id, script: `exit ${code}`, end: exited };
    case 1:
      return { id, script: `sleep 1000 & setsid sleep 1000 & sleep ${seconds}; exit ${code}`, end: exited };
    case 2:
      return {
        id,
        script: `sleep ${seconds}; kill -SEGV $$`,
        end: { state: TaskState.TASK_FAILED, message: "Command terminated with signal Segmentation fault" },
      };
    case 3:
      return {
        id,
        script: "exec sleep 1000",
        end: { state: TaskState.TASK_KILLED, message: "Command terminated with signal Terminated" },
        killAfterMs: 200 + random.next() * 1000,
      };
    default:
      return { id, script: `sleep ${seconds}; exit ${code}`, end: exited };
  }
}

/** @param place.marks directory in which each task notes that it ran; `tag`: names the processes of all tasks */
export function taskInfo(
  { id, script }: SoakTask,
  { marks, tag }: { marks: string; tag: string },
): PartialMessage<TaskInfo> & { name: string; task_id: { value: string } } {
  return {
    name: id,
    task_id: { value: id },
    resources: TASK_RESOURCES,
    command: {
      value: `echo ran >> ${marks}/${id}; ${script}`,
      environment: { variables: [{ name: TAG_VARIABLE, value: tag, type: 1 }] },
    },
  };
}
