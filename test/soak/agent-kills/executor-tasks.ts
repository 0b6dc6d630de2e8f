import { join } from "node:path";
import {
  ExecutorInfo_Type,
  Offer_Operation_Type,
  TaskStatus_Reason as Reason,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { resourceList } from "../../../sdk/index.js";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { type SoakPlace, TASK_RESOURCES, tagged } from "../soak-task.js";
import type { Work } from "./executor-work.js";
import { anyKillTime, type End, oneOf, type SoakKind, type SoakTask } from "./soak-launch.js";

type WorkTask = SoakTask & { readonly work: Omit<Work, "mark"> };

/** Launches for an executor before the next one is used. It may exit in between, when it has no work. */
const LAUNCHES = 3;

/** An executor, or its agent, may be gone before it has received them. */
const UNRUN = [Reason.REASON_EXECUTOR_TERMINATED, Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT];

const finishes = (random: SeededRandom) => ends(random, TaskState.TASK_FINISHED);
const fails = (random: SeededRandom) => ends(random, TaskState.TASK_FAILED);

function ends(random: SeededRandom, state: TaskState) {
  const work = { seconds: random.next() * 1.5, state, message: `as told ${Math.floor(random.next() * 1e6)}` };
  return { work, ends: [{ state, message: work.message }] };
}

const isKilled = (random: SeededRandom) => ({
  work: { seconds: 1000, state: TaskState.TASK_FINISHED, message: "never" },
  ends: [{ state: TaskState.TASK_KILLED, message: "on request" }],
  killAfterMs: anyKillTime(random),
});

/** The executor crashes in the middle of the task. */
const crashes = (random: SeededRandom) => ({
  work: { seconds: random.next(), state: TaskState.TASK_FAILED, message: "never", crash: true },
  ends: [{ state: TaskState.TASK_FAILED, reason: Reason.REASON_EXECUTOR_TERMINATED }],
});

const WITH_ITS_EXECUTOR: End = {
  state: TaskState.TASK_FAILED,
  reason: Reason.REASON_EXECUTOR_TERMINATED,
};

/** One to three tasks at a time for an executor that runs this program; it receives more while it runs, or is restarted for them. */
export function executorTasks(program: "v0" | "v1"): SoakKind {
  const script = new URL(`executor-${program}.js`, import.meta.url).pathname;
  let executor = "";
  let launches = 0;
  let fragile = false;
  return (name, random) => {
    if (launches++ % LAUNCHES === 0) {
      executor = `${name}-${program}`;
      fragile = random.next() < 0.3;
    }
    const id = executor;
    const tasks: WorkTask[] = Array.from({ length: 1 + Math.floor(random.next() * 3) }, (_, i) => {
      const task = oneOf(
        random,
        fragile ? [finishes, isKilled, crashes] : [finishes, fails, isKilled],
      )(random);
      return {
        ...task,
        id: `${name}-${i}`,
        executor: id,
        script: `${program} executor ${id}: ${JSON.stringify(task.work)}`,
        ends: fragile ? [...task.ends, WITH_ITS_EXECUTOR] : task.ends,
        unrun: UNRUN,
      };
    });
    return {
      tasks,
      resources: resourceList(`cpus:${0.1 * (tasks.length + 1)};mem:${32 * (tasks.length + 2)}`),
      operations: (place, { agent_id, framework_id }) => {
        const info = {
          executor_id: { value: id },
          framework_id,
          type: ExecutorInfo_Type.CUSTOM,
          command: { value: `exec "${process.execPath}" "${script}"`, environment: tagged(place.tag) },
          resources: resourceList("cpus:0.1;mem:64"),
        };
        const task_infos = tasks.map(({ id, work }) => ({
          name: id,
          task_id: { value: id },
          agent_id,
          resources: TASK_RESOURCES,
          executor: info,
          data: dataOf(work, id, place),
        }));
        return [{ type: Offer_Operation_Type.LAUNCH, launch: { task_infos } }];
      },
    };
  };
}

const dataOf = (work: Omit<Work, "mark">, id: string, { marks }: SoakPlace): Buffer =>
  Buffer.from(JSON.stringify({ ...work, mark: join(marks, id) } satisfies Work));
