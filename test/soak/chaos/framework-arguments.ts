/** `working`: new jobs all the time. `settling`: existing jobs are completed, services keep running. `ending`: services end. */
export type Phase = "working" | "settling" | "ending" | "leaving";

export interface FrameworkArguments {
  readonly name: string;
  readonly masters: string;
  /** Path of the job book. */
  readonly book: string;
  /** Directory for the marks of tasks. */
  readonly marks: string;
  /** Tag in the environment of the tasks' processes. */
  readonly tag: string;
  readonly seed: number;
  readonly phase: Phase;
}

/** Per task. */
export const CPUS = 0.1;
