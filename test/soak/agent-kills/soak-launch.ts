import {
  type Offer,
  type Offer_Operation,
  TaskState,
  type TaskStatus_Reason,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { PartialMessage, Resource } from "../../../sdk/index.js";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import type { SoakPlace } from "../soak-task.js";

/** One way in which a task may end after it ran. */
export interface End {
  readonly state: TaskState;
  /** Undefined: any message. */
  readonly message?: string | RegExp;
  readonly reason?: TaskStatus_Reason;
}

/** A task whose end is known before it runs. */
export interface SoakTask {
  readonly id: string;
  /** The executor that it runs in; that of a command task has the task's name. */
  readonly executor: string;
  /** What it does, usually as shell commands. */
  readonly script: string;
  readonly ends: readonly End[];
  /** When the scheduler kills it, if it does. */
  readonly killAfterMs?: number;
  /** The tasks of a group all run, or none does. */
  readonly group?: string;
  /** Reasons with which it may be reported as ended if it never ran, in addition to those of tasks that never reached an agent. */
  readonly unrun?: readonly TaskStatus_Reason[];
}

/** Tasks that are launched together. */
export interface SoakLaunch {
  readonly tasks: readonly SoakTask[];
  readonly resources: readonly PartialMessage<Resource>[];
  operations(place: SoakPlace, offer: Offer): PartialMessage<Offer_Operation>[];
}

/** Creates tasks of one kind, with names starting with `name`. */
export type SoakKind = (name: string, random: SeededRandom) => SoakLaunch;

export const exited = (code: number, noun = "Command"): End => ({
  state: code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED,
  message: `${noun} exited with status ${code}`,
});

/** A shell that was ended by SIGTERM exits with 143; the signal may arrive before a script has set its trap. */
export const killed = (
  how: RegExp = /^Command (terminated with signal Terminated|exited with status 143)$/,
): End => ({
  state: TaskState.TASK_KILLED,
  message: how,
});

export const anyCode = (random: SeededRandom): number => Math.floor(random.next() * 4) * 41;

export const anySeconds = (random: SeededRandom): string => (random.next() * 1.5).toFixed(2);

/** The time after which a task that never ends is killed. */
export const anyKillTime = (random: SeededRandom): number => 200 + random.next() * 1000;

export const oneOf = <T>(random: SeededRandom, choices: readonly T[]): T =>
  choices[Math.floor(random.next() * choices.length)]!;
