import {
  ContainerInfo_Type,
  ContainerInfo_DockerInfo_Network as DockerNetwork,
  HealthCheck_Type,
  Image_Type,
  Offer_Operation_Type,
  TaskStatus_Reason as Reason,
  TaskState,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { PartialMessage, TaskInfo } from "../../../sdk/index.js";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { IMAGE } from "../../plugins/docker-containerizer/support.js";
import { type SoakPlace, TASK_RESOURCES, taskInfo } from "../soak-task.js";
import {
  anyCode,
  anyKillTime,
  anySeconds,
  exited,
  killed,
  oneOf,
  type SoakKind,
  type SoakLaunch,
  type SoakTask,
} from "./soak-launch.js";

export const BOX_IMAGE = "box";

export type Shape = (place: SoakPlace, id: string) => PartialMessage<TaskInfo>;

/** A task without a name and a place. `shape`: what it requires besides its script. */
export interface Command extends Omit<SoakTask, "id" | "executor"> {
  readonly shape?: Shape;
}

export type Script = (random: SeededRandom) => Command;

const ends: Script = (random) => {
  const code = anyCode(random);
  return { script: `sleep ${anySeconds(random)}; exit ${code}`, ends: [exited(code)] };
};

const endsAtOnce: Script = (random) => {
  const code = anyCode(random);
  return { script: `exit ${code}`, ends: [exited(code)] };
};

const leavesProcesses: Script = (random) => {
  const { script, ends } = endsAtOnce(random);
  return { script: `sleep 1000 & setsid sleep 1000 & sleep ${anySeconds(random)}; ${script}`, ends };
};

const diesOfSignal: Script = (random) => ({
  script: `sleep ${anySeconds(random)}; kill -SEGV $$`,
  ends: [{ state: TaskState.TASK_FAILED, message: "Command terminated with signal Segmentation fault" }],
});

const isKilled: Script = (random) => ({
  script: "exec sleep 1000",
  ends: [killed()],
  killAfterMs: anyKillTime(random),
});

/** A long grace period: it may have to wait for a CPU. */
const endsInOrder: Script = (random) => ({
  script: "trap 'exit 7' TERM; while :; do sleep 0.1; done",
  ends: [killed(), killed(/^Command exited with status 7$/)],
  killAfterMs: anyKillTime(random),
  shape: () => ({ kill_policy: { grace_period: { nanoseconds: 60_000_000_000n } } }),
});

const isDeaf: Script = (random) => ({
  script: "trap '' TERM; while :; do sleep 0.1; done",
  ends: [killed(), killed(/^Command terminated with signal Killed$/)],
  killAfterMs: anyKillTime(random),
  shape: () => ({ kill_policy: { grace_period: { nanoseconds: 400_000_000n } } }),
});

const hasItsTime: Script = (random) => ({
  script: "exec sleep 1000",
  ends: [
    {
      state: TaskState.TASK_FAILED,
      reason: Reason.REASON_MAX_COMPLETION_TIME_REACHED,
      message: /^Command terminated with signal (Terminated|Killed)$/,
    },
  ],
  shape: () => ({ max_completion_time: { nanoseconds: BigInt(Math.ceil(random.next() * 1e9)) } }),
});

/** Becomes unhealthy after a while. */
const isIll: Script = (random) => ({
  script: `sleep ${anySeconds(random)}; touch $MARK.ill; exec sleep 1000`,
  ends: [killed()],
  shape: checked,
});

const isWell: Script = (random) => ({ ...ends(random), shape: checked });

const checked: Shape = ({ marks }, id) => ({
  health_check: {
    type: HealthCheck_Type.COMMAND,
    command: { value: `test ! -e ${marks}/${id}.ill` },
    delay_seconds: 0,
    interval_seconds: 0.1,
    timeout_seconds: 60,
    consecutive_failures: 2,
    grace_period_seconds: 0,
  },
});

const commands =
  (scripts: readonly Script[], common?: Shape): SoakKind =>
  (id, random): SoakLaunch => {
    const { shape, ...rest } = oneOf(random, scripts)(random);
    const task = { id, executor: id, ...rest };
    return {
      tasks: [task],
      resources: TASK_RESOURCES,
      operations: (place, { agent_id }) => [
        {
          type: Offer_Operation_Type.LAUNCH,
          launch: {
            task_infos: [
              { ...taskInfo(task, place), agent_id, ...common?.(place, id), ...shape?.(place, id) },
            ],
          },
        },
      ],
    };
  };

/** Tasks that end their pod, or may. */
export const FATAL: readonly Script[] = [diesOfSignal, isKilled, endsInOrder, isDeaf, hasItsTime, isIll];
export const HARMLESS: readonly Script[] = [ends, endsAtOnce, leavesProcesses, isWell];

/** Short tasks, for launch and exit; some leave processes behind, some die of a signal, some are killed. */
export const commandTasks = commands([ends, endsAtOnce, leavesProcesses, diesOfSignal, isKilled]);

/** Tasks that have to be ended: politely, by force, or when their time is up. */
export const endedTasks = commands([endsInOrder, isDeaf, hasItsTime]);

export const checkedTasks = commands([isIll, isWell]);

const marksIn = ({ marks }: SoakPlace) => ({ host_path: marks, container_path: marks, mode: Volume_Mode.RW });

/** Tasks with a root file system of their own. */
export const boxedTasks = commands([ends, endsAtOnce, isKilled, endsInOrder, isDeaf], (place) => ({
  container: {
    type: ContainerInfo_Type.MESOS,
    mesos: { image: { type: Image_Type.DOCKER, docker: { name: BOX_IMAGE } } },
    volumes: [marksIn(place)],
  },
}));

const container =
  (script: Script): Script =>
  (random) => {
    const command = script(random);
    return {
      ...command,
      ends: command.ends.map((end) =>
        end.state === TaskState.TASK_KILLED
          ? killed(/^Container exited with status \d+$/)
          : { ...end, message: String(end.message).replace("Command", "Container") },
      ),
    };
  };

export const dockerTasks = commands(
  [ends, endsAtOnce, isKilled, endsInOrder, isDeaf].map(container),
  (place) => ({
    container: {
      type: ContainerInfo_Type.DOCKER,
      docker: { image: IMAGE, network: DockerNetwork.NONE },
      volumes: [marksIn(place)],
    },
  }),
);
