import type { Call_Subscribe, Call_Update } from "../../proto/gen/mesos/v1/executor/executor.js";
import type { TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";

interface Outstanding {
  readonly update: Call_Update;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** It is in a SUBSCRIBE or UPDATE call of the present connection. */
  sent: boolean;
}

/**
 * What the agent has not confirmed: updates, and tasks none of whose updates it has confirmed. A new subscription carries all of it, so
 * that an agent that was restarted misses nothing.
 */
export class Unacknowledged {
  private readonly tasks = new Map<string, TaskInfo>();
  /** By uuid, in the order of sending. */
  private readonly updates = new Map<string, Outstanding>();
  private readonly waiting: (() => void)[] = [];

  addTask(task: TaskInfo): void {
    this.tasks.set(task.task_id?.value ?? "", task);
  }

  /** Resolves when the update is acknowledged. */
  addUpdate(status: TaskStatus): Promise<void> {
    return new Promise((resolve, reject) => {
      this.updates.set(keyOf(status.uuid), { update: { status }, resolve, reject, sent: false });
    });
  }

  acknowledge(taskId: string, uuid: Uint8Array): void {
    this.tasks.delete(taskId);
    const key = keyOf(uuid);
    const outstanding = this.updates.get(key);
    this.updates.delete(key);
    outstanding?.resolve();
    this.settle();
  }

  /** The agent will never take the update. */
  refuse(status: TaskStatus, error: unknown): void {
    const key = keyOf(status.uuid);
    const outstanding = this.updates.get(key);
    this.updates.delete(key);
    outstanding?.reject(error);
    this.settle();
  }

  /** Everything, for a SUBSCRIBE; all updates count as sent. */
  snapshot(): Call_Subscribe {
    for (const outstanding of this.updates.values()) outstanding.sent = true;
    return {
      unacknowledged_tasks: [...this.tasks.values()],
      unacknowledged_updates: [...this.updates.values()].map(({ update }) => update),
    };
  }

  /** Updates that came after the snapshot; they count as sent. */
  takeUnsent(): TaskStatus[] {
    const unsent = [...this.updates.values()].filter(({ sent }) => !sent);
    for (const outstanding of unsent) outstanding.sent = true;
    return unsent.flatMap(({ update }) => update.status ?? []);
  }

  /** Resolves when no update waits any more. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.settle();
    });
  }

  /** No acknowledgement will come any more. */
  abandon(error: unknown): void {
    for (const { reject } of this.updates.values()) reject(error);
    this.updates.clear();
    this.settle();
  }

  private settle(): void {
    if (this.updates.size > 0) return;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

const keyOf = (uuid: Uint8Array | undefined): string => Buffer.from(uuid ?? []).toString("hex");
