import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { isTerminal } from "../../../sdk/task-states.js";

/** `batch`: works for a while and ends. `service`: runs until it is killed. */
export type JobKind = "batch" | "service";

/** One task that was launched for a job. */
export interface Attempt {
  readonly task: string;
  readonly agent: string;
  /** The framework killed it. */
  killed: boolean;
  /** Every reported change of its state, in order. */
  readonly told: Told[];
}

interface Told {
  readonly state: TaskState;
  readonly words: string;
}

export interface Job {
  readonly name: string;
  readonly kind: JobKind;
  readonly attempts: Attempt[];
}

type Entry =
  | { readonly framework: string }
  | { readonly job: string; readonly kind: JobKind; readonly task: string; readonly agent: string }
  | { readonly kill: string }
  | { readonly task: string; readonly state: keyof typeof TaskState; readonly words: string };

/**
 * What a framework must not forget: its jobs and what happened to them. Every change is in the file before the framework acts on it, so its
 * next process can continue where the last one was killed.
 */
export class JobBook {
  framework: string | undefined;
  readonly jobs = new Map<string, Job>();
  private readonly byTask = new Map<string, { readonly job: Job; readonly attempt: Attempt }>();

  constructor(private readonly path: string) {
    if (!existsSync(path)) return;
    for (const line of readFileSync(path, "utf8").split("\n")) {
      if (line !== "") this.take(JSON.parse(line) as Entry);
    }
  }

  register(framework: string): void {
    if (this.framework !== framework) this.write({ framework });
  }

  launch(job: string, kind: JobKind, agent: string): Attempt {
    const attempts = this.jobs.get(job)?.attempts.length ?? 0;
    const task = `${job}.${attempts + 1}`;
    this.write({ job, kind, task, agent });
    return this.byTask.get(task)!.attempt;
  }

  kill(task: string): void {
    if (this.byTask.get(task)?.attempt.killed === false) this.write({ kill: task });
  }

  /** @throws Error for a task that is not in the book */
  note(task: string, state: TaskState, words: string): void {
    const known = this.byTask.get(task);
    if (known === undefined) throw new Error(`told of ${task}, which nobody launched`);
    if (known.attempt.told.at(-1)?.state !== state)
      this.write({ task, state: TaskState[state] as keyof typeof TaskState, words });
  }

  /** Attempts that have not ended, as far as the framework was told. */
  open(): Attempt[] {
    return [...this.byTask.values()].map(({ attempt }) => attempt).filter((attempt) => !isOver(attempt));
  }

  /** A single write: a process that is killed leaves no partial line. */
  private write(entry: Entry): void {
    appendFileSync(this.path, `${JSON.stringify(entry)}\n`);
    this.take(entry);
  }

  private take(entry: Entry): void {
    if ("framework" in entry) {
      this.framework = entry.framework;
    } else if ("kill" in entry) {
      this.byTask.get(entry.kill)!.attempt.killed = true;
    } else if ("job" in entry) {
      const job = this.jobs.get(entry.job) ?? { name: entry.job, kind: entry.kind, attempts: [] };
      this.jobs.set(entry.job, job);
      const attempt = { task: entry.task, agent: entry.agent, killed: false, told: [] };
      job.attempts.push(attempt);
      this.byTask.set(entry.task, { job, attempt });
    } else {
      const state = TaskState[entry.state];
      this.byTask.get(entry.task)!.attempt.told.push({ state, words: entry.words });
    }
  }
}

export const isOver = (attempt: Attempt): boolean => endOf(attempt) !== undefined;

export const endOf = ({ told }: Attempt): TaskState | undefined =>
  told.find(({ state }) => isTerminal(state))?.state;

export const lastState = ({ told }: Attempt): TaskState | undefined => told.at(-1)?.state;

/** Whether the job needs a task: it has none running, and its work is not done. */
export function wantsTask({ kind, attempts }: Job): boolean {
  const last = attempts.at(-1);
  if (last === undefined) return true;
  if (!isOver(last)) return false;
  return kind === "service" || endOf(last) !== TaskState.TASK_FINISHED;
}

/** The job of a task, by the task's id. */
export const jobOf = (task: string): string => task.slice(0, task.lastIndexOf("."));
