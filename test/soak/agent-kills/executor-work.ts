import { appendFileSync } from "node:fs";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";

/** A task for one of the soak's executors, as it finds it in `data`. */
export interface Work {
  /** The file in which it notes that it ran. */
  readonly mark: string;
  readonly seconds: number;
  /** The state in which it then ends. */
  readonly state: TaskState;
  readonly message: string;
  /** The executor exits instead. */
  readonly crash?: boolean;
}

/** Milliseconds after which an executor without work exits. */
const IDLE_MS = 1000;

/** Performs tasks as described by their `data`. */
export class Works {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private idle: NodeJS.Timeout | undefined;

  /** @param tell reports a state; resolves when it is acknowledged */
  constructor(
    private readonly tell: (taskId: string, state: TaskState, message?: string) => Promise<unknown>,
  ) {}

  begin(taskId: string, data: Uint8Array | undefined): void {
    const work = JSON.parse(Buffer.from(data ?? []).toString()) as Work;
    clearTimeout(this.idle);
    appendFileSync(work.mark, "ran\n");
    const end = (): void => {
      if (work.crash === true) process.exit(3);
      this.end(taskId, work.state, work.message);
    };
    this.timers.set(taskId, setTimeout(end, work.seconds * 1000));
    void this.tell(taskId, TaskState.TASK_RUNNING);
  }

  kill(taskId: string): void {
    this.end(taskId, TaskState.TASK_KILLED, "on request");
  }

  killAll(): void {
    for (const taskId of [...this.timers.keys()]) this.kill(taskId);
  }

  private end(taskId: string, state: TaskState, message: string): void {
    const timer = this.timers.get(taskId);
    if (timer === undefined) return;
    clearTimeout(timer);
    this.timers.delete(taskId);
    void this.tell(taskId, state, message).then(() => {
      if (this.timers.size > 0) return;
      clearTimeout(this.idle);
      this.idle = setTimeout(() => process.exit(0), IDLE_MS);
    });
  }
}
