/** `working`: new jobs all the time. `settling`: what there is, is brought to its end, services run. `ending`: services end. */
export type Phase = "working" | "settling" | "ending" | "leaving";

export interface FrameworkArguments {
  readonly name: string;
  readonly masters: string;
  /** File of the book. */
  readonly book: string;
  /** Directory for the marks of tasks. */
  readonly marks: string;
  /** Names the processes of tasks. */
  readonly tag: string;
  readonly seed: number;
  readonly phase: Phase;
}

/** Of each task. */
export const CPUS = 0.1;
