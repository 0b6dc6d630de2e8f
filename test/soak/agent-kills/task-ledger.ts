import {
  TaskStatus_Reason as Reason,
  TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { End, SoakTask } from "./soak-launch.js";

interface Entry {
  readonly task: SoakTask;
  /** Without duplicates, in the order in which they first arrived. */
  readonly statuses: Map<string, TaskStatus>;
  /** A process of its container was killed. */
  struck: boolean;
}

/** What was launched, and what was reported about it. */
export class TaskLedger {
  private readonly entries = new Map<string, Entry>();

  get size(): number {
    return this.entries.size;
  }

  ids(): Iterable<string> {
    return this.entries.keys();
  }

  add(task: SoakTask): void {
    this.entries.set(task.id, { task, statuses: new Map(), struck: false });
  }

  /** True if this is the end of a task that had not ended before. */
  note(status: TaskStatus): boolean {
    const entry = this.entries.get(status.task_id?.value ?? "");
    if (entry === undefined)
      throw new Error(`a status of a task that nobody asked for: ${JSON.stringify(status)}`);
    const ended = endOf(entry) !== undefined;
    // What is not known cannot have been written down, either: the next run of the agent tells it anew.
    const unknown = status.uuid !== undefined && status.reason === Reason.REASON_RECONCILIATION;
    const uuid = unknown ? "unknown to the agent" : status.uuid?.toString("hex");
    // The master itself answers, without a UUID, a kill of a task that has ended.
    if (uuid === undefined && ended) return false;
    entry.statuses.set(uuid ?? `master-${entry.statuses.size}`, status);
    return !ended && endOf(entry) !== undefined;
  }

  /** A process was killed that the tasks of an executor depend on or, without one, all tasks not known to be running. */
  strike(executor: string | undefined): void {
    for (const entry of this.entries.values()) {
      if (endOf(entry) !== undefined) continue;
      if (executor === undefined ? !ranOf(entry) : entry.task.executor === executor) entry.struck = true;
    }
  }

  unended(): string[] {
    return [...this.entries.values()]
      .filter((entry) => endOf(entry) === undefined)
      .map(({ task, statuses }) => `${task.id} (${wordsOf({ statuses })})`);
  }

  ends(): Record<string, number> {
    const ends: Record<string, number> = {};
    for (const entry of this.entries.values()) {
      const { state, reason } = endOf(entry) ?? {};
      const name = TaskState[state ?? -1] ?? "none";
      const words = reason === undefined ? name : `${name} ${Reason[reason].replace("REASON_", "")}`;
      ends[words] = (ends[words] ?? 0) + 1;
    }
    return ends;
  }

  /** @param timesRun how often each task was started */
  faults(timesRun: ReadonlyMap<string, number>): string[] {
    const of = (entry: Entry): number => timesRun.get(entry.task.id) ?? 0;
    return [...this.entries.values()].flatMap((entry) =>
      [...faultsOf(entry, of(entry)), ...this.groupFaults(entry)].map(
        (fault) =>
          `${entry.task.id} (${entry.task.script}${entry.struck ? ", struck" : ""}): ${fault}; told: ${wordsOf(entry)}`,
      ),
    );
  }

  /** Tasks that are launched together run together, or not at all. */
  private groupFaults(entry: Entry): string[] {
    const { group } = entry.task;
    if (group === undefined || !isUnlaunched(endOf(entry))) return [];
    return [...this.entries.values()]
      .filter((other) => other.task.group === group && !isUnlaunched(endOf(other)))
      .map(({ task }) => `it was not launched, and ${task.id} of its group was`);
  }
}

function faultsOf(entry: Entry, times: number): string[] {
  const { task, struck } = entry;
  const statuses = [...entry.statuses.values()];
  const ends = statuses.filter(({ state }) => isTerminal(state));
  const [end] = ends;
  if (end === undefined) return ["it has no end"];
  const faults: string[] = [];
  if (times > 1) faults.push(`it ran ${times} times`);
  if (ends.length > 1) faults.push(`it ended ${ends.length} times`);
  if (statuses.at(-1) !== end) faults.push("something was told after its end");
  for (const state of [TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING]) {
    const told = statuses.filter(
      (status) => status.state === state && status.uuid !== undefined && !OF_CHECKS.has(status.reason),
    );
    if (told.length > 1) faults.push(`${TaskState[state]} was told ${told.length} times`);
  }
  const running = ranOf(entry);
  if (isUnlaunched(end) || (times === 0 && end.reason !== undefined && task.unrun?.includes(end.reason))) {
    if (times > 0 || running) faults.push("it ran, and was told never to have");
  } else if (end.reason === Reason.REASON_TASK_KILLED_DURING_LAUNCH && mayBeKilled(task)) {
    if (running) faults.push("it ran, and was told to have been killed before");
  } else if (struck && STRUCK.has(end.state!)) {
    // Nobody can say how it would have ended.
  } else if (!task.ends.some((one) => isEnd(end, one))) {
    faults.push(`its end should be ${task.ends.map(endText).join(" or ")}`);
  } else if (times !== 1 && end.state !== TaskState.TASK_KILLED && !struck) {
    faults.push(`it ran ${times} times, and was told to have ended by itself`);
  }
  return faults;
}

/** Updates with these reasons repeat a state. */
const OF_CHECKS: ReadonlySet<Reason | undefined> = new Set([
  Reason.REASON_TASK_CHECK_STATUS_UPDATED,
  Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED,
]);

const STRUCK: ReadonlySet<TaskState> = new Set([TaskState.TASK_FAILED, TaskState.TASK_KILLED]);

const ranOf = ({ statuses }: Pick<Entry, "statuses">): boolean =>
  [...statuses.values()].some(({ state }) => state === TaskState.TASK_RUNNING);

/** Possibly together with its group. */
const mayBeKilled = ({ killAfterMs, ends }: SoakTask): boolean =>
  killAfterMs !== undefined || ends.some(({ state }) => state === TaskState.TASK_KILLED);

/** What an agent reports about a task that it had not started when it was killed, or that never reached it. */
const isUnlaunched = (end: TaskStatus | undefined): boolean =>
  (end?.state === TaskState.TASK_DROPPED || end?.state === TaskState.TASK_LOST) &&
  (end.reason === Reason.REASON_AGENT_RESTARTED ||
    end.reason === Reason.REASON_RECONCILIATION ||
    end.reason === Reason.REASON_INVALID_OFFERS ||
    end.reason === Reason.REASON_AGENT_DISCONNECTED);

const isEnd = ({ state, reason, message = "" }: TaskStatus, wanted: End): boolean =>
  state === wanted.state &&
  (wanted.reason === undefined || reason === wanted.reason) &&
  (wanted.message === undefined ||
    (typeof wanted.message === "string" ? message === wanted.message : wanted.message.test(message)));

const endText = ({ state, message }: End): string => `${TaskState[state]} ${message ?? "of any kind"}`;

const endOf = ({ statuses }: Pick<Entry, "statuses">): TaskStatus | undefined =>
  [...statuses.values()].find(({ state }) => isTerminal(state));

const wordsOf = ({ statuses }: Pick<Entry, "statuses">): string =>
  [...statuses.values()]
    .map(({ state, reason, message }) =>
      [TaskState[state ?? -1], reason === undefined ? "" : Reason[reason], message ?? ""].join(" ").trim(),
    )
    .join(" | ");
