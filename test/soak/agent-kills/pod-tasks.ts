import { ExecutorInfo_Type, Offer_Operation_Type, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { resourceList } from "../../../sdk/index.js";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { taskInfo } from "../soak-task.js";
import { type Command, FATAL, HARMLESS, type Script } from "./command-tasks.js";
import { type End, oneOf, type SoakKind, type SoakTask } from "./soak-launch.js";

/** Runs until the pod ends it. */
const waits: Script = () => ({ script: "sleep 1000 & exec sleep 1000", ends: [] });

/** Ends together with another task of its group, in whatever state the signal leaves it. */
const WITH_ITS_GROUP: End = { state: TaskState.TASK_KILLED };

interface PodTask extends SoakTask, Pick<Command, "shape"> {}

/** Pods with one or two groups of one to three tasks; in half of the groups one task ends all of them. */
export const podTasks: SoakKind = (name, random) => {
  const groups = Array.from({ length: random.next() < 0.3 ? 2 : 1 }, (_, i) =>
    group({ pod: name, name: `${name}-${i}` }, random),
  );
  const tasks = groups.flat();
  return {
    tasks,
    resources: resourceList(`cpus:${0.1 * (tasks.length + 1)};mem:${32 * (tasks.length + 1)};disk:32`),
    operations: (place, { agent_id, framework_id }) =>
      groups.map((group) => ({
        type: Offer_Operation_Type.LAUNCH_GROUP,
        launch_group: {
          executor: {
            executor_id: { value: name },
            framework_id,
            type: ExecutorInfo_Type.DEFAULT,
            resources: resourceList("cpus:0.1;mem:32;disk:32"),
          },
          task_group: {
            tasks: group.map((task) => ({
              ...taskInfo(task, place),
              agent_id,
              ...task.shape?.(place, task.id),
            })),
          },
        },
      })),
  };
};

function group({ pod, name }: { pod: string; name: string }, random: SeededRandom): PodTask[] {
  const fatal = random.next() < 0.5;
  const scripts = Array.from({ length: Math.floor(random.next() * 3) }, () =>
    fatal && random.next() < 0.5 ? waits : oneOf(random, HARMLESS),
  );
  const place = Math.floor(random.next() * (scripts.length + 1));
  scripts.splice(place, 0, oneOf(random, fatal ? FATAL : HARMLESS));
  const commands = scripts.map((script) => script(random));
  const ends = fatal || commands.some(({ ends: [end] }) => end?.state !== TaskState.TASK_FINISHED);
  return commands.map((command, i) => ({
    ...command,
    id: `${name}-${i}`,
    executor: pod,
    group: name,
    ends: ends ? [...command.ends, WITH_ITS_GROUP] : command.ends,
  }));
}
