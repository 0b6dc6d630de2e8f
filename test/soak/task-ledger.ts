import { TaskStatus_Reason as Reason, TaskState, type TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { isTerminal } from "../../sdk/task-states.js";
import type { SoakTask } from "./soak-task.js";

interface Entry {
  readonly task: SoakTask;
  /** Each once, in the order in which they first came. */
  readonly statuses: Map<string, TaskStatus>;
}

/** What was asked for and what was told of it. */
export class TaskLedger {
  private readonly entries = new Map<string, Entry>();

  get size(): number {
    return this.entries.size;
  }

  ids(): Iterable<string> {
    return this.entries.keys();
  }

  add(task: SoakTask): SoakTask {
    this.entries.set(task.id, { task, statuses: new Map() });
    return task;
  }

  /** True when this is the end of a task that had none yet. */
  note(status: TaskStatus): boolean {
    const entry = this.entries.get(status.task_id?.value ?? "");
    if (entry === undefined)
      throw new Error(`a status of a task that nobody asked for: ${JSON.stringify(status)}`);
    const ended = endOf(entry) !== undefined;
    const uuid = status.uuid?.toString("hex");
    // The master answers by itself, without a UUID, who asks for the end of a task that has ended.
    if (uuid === undefined && ended) return false;
    entry.statuses.set(uuid ?? `master-${entry.statuses.size}`, status);
    return !ended && endOf(entry) !== undefined;
  }

  unended(): string[] {
    return [...this.entries.values()]
      .filter((entry) => endOf(entry) === undefined)
      .map(({ task }) => task.id);
  }

  ends(): Record<string, number> {
    const ends: Record<string, number> = {};
    for (const entry of this.entries.values()) {
      const state = TaskState[endOf(entry)?.state ?? -1] ?? "none";
      ends[state] = (ends[state] ?? 0) + 1;
    }
    return ends;
  }

  /** @param timesRun how often the command of each task was started */
  faults(timesRun: ReadonlyMap<string, number>): string[] {
    return [...this.entries.values()].flatMap((entry) =>
      faultsOf(entry, timesRun.get(entry.task.id) ?? 0).map(
        (fault) => `${entry.task.id} (${entry.task.script}): ${fault}; told: ${wordsOf(entry)}`,
      ),
    );
  }
}

function faultsOf(entry: Entry, times: number): string[] {
  const { task } = entry;
  const statuses = [...entry.statuses.values()];
  const ends = statuses.filter(({ state }) => isTerminal(state));
  const [end] = ends;
  if (end === undefined) return ["it has no end"];
  const faults: string[] = [];
  if (times > 1) faults.push(`it ran ${times} times`);
  if (ends.length > 1) faults.push(`it ended ${ends.length} times`);
  if (statuses.at(-1) !== end) faults.push("something was told after its end");
  for (const state of [TaskState.TASK_STARTING, TaskState.TASK_RUNNING]) {
    const told = statuses.filter((status) => status.state === state && status.uuid !== undefined).length;
    if (told > 1) faults.push(`${TaskState[state]} was told ${told} times`);
  }
  const running = statuses.some(({ state }) => state === TaskState.TASK_RUNNING);
  if (neverRan(end)) {
    if (times > 0 || running) faults.push("it ran, and was told never to have");
  } else if (end.reason === Reason.REASON_TASK_KILLED_DURING_LAUNCH && task.killAfterMs !== undefined) {
    if (running) faults.push("it ran, and was told to have been killed before");
  } else if (end.state !== task.end.state || end.message !== task.end.message) {
    faults.push(`its end should be ${TaskState[task.end.state]} "${task.end.message}"`);
  } else if (times !== 1 && end.state !== TaskState.TASK_KILLED) {
    faults.push(`it ran ${times} times, and was told to have ended by itself`);
  }
  return faults;
}

/** What an agent tells of a task that it had not started when it was killed, or that never came to it. */
const neverRan = ({ state, reason }: TaskStatus): boolean =>
  (state === TaskState.TASK_DROPPED || state === TaskState.TASK_LOST) &&
  (reason === Reason.REASON_AGENT_RESTARTED ||
    reason === Reason.REASON_RECONCILIATION ||
    reason === Reason.REASON_INVALID_OFFERS ||
    reason === Reason.REASON_AGENT_DISCONNECTED);

const endOf = ({ statuses }: Entry): TaskStatus | undefined =>
  [...statuses.values()].find(({ state }) => isTerminal(state));

const wordsOf = ({ statuses }: Entry): string =>
  [...statuses.values()]
    .map(({ state, reason, message }) =>
      [TaskState[state ?? -1], reason === undefined ? "" : Reason[reason], message ?? ""].join(" ").trim(),
    )
    .join(" | ");
