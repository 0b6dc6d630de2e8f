import type { TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../../sdk/contracts/clock.js";

/**
 * Calls `expired` when a task has been running for as long as it may (`max_completion_time`). Undefined: it may run forever.
 *
 * @param age how long it has been running, in milliseconds
 */
export function limitCompletion(
  clock: Clock,
  { max_completion_time }: Pick<TaskInfo, "max_completion_time">,
  { age, expired }: { readonly age: number; readonly expired: () => void },
): Timer | undefined {
  const limit = max_completion_time?.nanoseconds;
  if (limit === undefined || limit <= 0n) return undefined;
  return clock.setTimeout(expired, Math.max(0, Number(limit) / 1e6 - age));
}
