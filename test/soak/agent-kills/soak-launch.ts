import {
  type Offer,
  type Offer_Operation,
  TaskState,
  type TaskStatus_Reason,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { PartialMessage, Resource } from "../../../sdk/index.js";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import type { SoakPlace } from "../soak-task.js";

/** One way in which a task that ran may end. */
export interface End {
  readonly state: TaskState;
  /** Undefined: any. */
  readonly message?: string | RegExp;
  readonly reason?: TaskStatus_Reason;
}

/** A task whose end is known before it runs. */
export interface SoakTask {
  readonly id: string;
  /** The executor that it runs in; that of a command is named for it. */
  readonly executor: string;
  /** What it does: shell commands, mostly. */
  readonly script: string;
  readonly ends: readonly End[];
  /** When the scheduler asks for its end, where it does. */
  readonly killAfterMs?: number;
  /** Those of a group run all, or none. */
  readonly group?: string;
  /** With what reasons it may be told to have ended where it never ran, beside those of tasks that never came to an agent. */
  readonly unrun?: readonly TaskStatus_Reason[];
}

/** Tasks that are launched together. */
export interface SoakLaunch {
  readonly tasks: readonly SoakTask[];
  readonly resources: readonly PartialMessage<Resource>[];
  operations(place: SoakPlace, offer: Offer): PartialMessage<Offer_Operation>[];
}

/** Makes tasks of one kind, named for `name`. */
export type SoakKind = (name: string, random: SeededRandom) => SoakLaunch;

export const exited = (code: number, noun = "Command"): End => ({
  state: code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED,
  message: `${noun} exited with status ${code}`,
});

/** The status of a shell that was ended by SIGTERM is 143; a signal may come before a script has said what it does with it. */
export const killed = (
  how: RegExp = /^Command (terminated with signal Terminated|exited with status 143)$/,
): End => ({
  state: TaskState.TASK_KILLED,
  message: how,
});

export const anyCode = (random: SeededRandom): number => Math.floor(random.next() * 4) * 41;

export const anySeconds = (random: SeededRandom): string => (random.next() * 1.5).toFixed(2);

/** In which a task is killed that would go on for ever. */
export const anyKillTime = (random: SeededRandom): number => 200 + random.next() * 1000;

export const oneOf = <T>(random: SeededRandom, choices: readonly T[]): T =>
  choices[Math.floor(random.next() * choices.length)]!;
