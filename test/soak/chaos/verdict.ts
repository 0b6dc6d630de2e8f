import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Marks } from "./host-marks.js";
import { type Attempt, endOf, isOver, type Job } from "./job-book.js";

/** What is wrong with what a framework was told, compared with what its tasks did on their hosts. All services must have been ended. */
export function faultsOf(jobs: Iterable<Job>, marks: ReadonlyMap<string, Marks>): string[] {
  const faults: string[] = [];
  for (const job of jobs) {
    const done = job.attempts.filter((attempt) => endOf(attempt) === TaskState.TASK_FINISHED).length;
    if (job.kind === "batch" && done !== 1) faults.push(`${job.name} was done ${done} times`);
    for (const attempt of job.attempts) {
      const did = marks.get(attempt.task) ?? { starts: 0, ends: 0, together: 0 };
      for (const fault of attemptFaults(job, attempt, did)) {
        const told = attempt.told.map(({ state, words }) => `${TaskState[state]} (${words})`).join(", ");
        faults.push(`${attempt.task} on ${attempt.agent}: ${fault}; told: ${told}`);
      }
    }
  }
  return faults;
}

function attemptFaults({ kind }: Job, attempt: Attempt, { starts, ends, together }: Marks): string[] {
  const faults: string[] = [];
  const state = endOf(attempt);
  const name = TaskState[state ?? -1] ?? "nothing";
  if (!isOver(attempt)) faults.push("never ended");
  if (toldAgain(attempt)) faults.push("told of something else after its end");
  if (starts > 1) faults.push(`started ${starts} times`);
  if (together > 0) faults.push("started while another task of its job was running");
  if (ends > starts) faults.push(`started ${starts} times and ended ${ends} times`);
  const good = kind === "batch" ? TaskState.TASK_FINISHED : TaskState.TASK_KILLED;
  if (starts > 0 && state !== good) faults.push(`lost: it ran, and ${name} was told of it`);
  if (state === TaskState.TASK_FINISHED && ends !== 1)
    faults.push(`TASK_FINISHED, and it ended ${ends} times`);
  if (state === TaskState.TASK_KILLED && !attempt.killed) faults.push("killed, and nobody asked for it");
  return faults;
}

/** An end whose acknowledgement was lost is reported again, and its agent may have been unreachable in between. */
function toldAgain(attempt: Attempt): boolean {
  const end = endOf(attempt);
  const first = attempt.told.findIndex(({ state }) => state === end);
  const after = first < 0 ? [] : attempt.told.slice(first);
  return after.some(({ state }) => state !== end && state !== TaskState.TASK_UNREACHABLE);
}
