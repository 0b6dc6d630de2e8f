import type { Filters } from "../../../proto/gen/mesos/v1/mesos.js";

/** What a `Filters` without `refuse_seconds` means, and the longest refusal. Seconds. */
const DEFAULT_REFUSE_SECONDS = 5;
const MAX_REFUSE_SECONDS = 365 * 24 * 3600;

/** How long a refusal lasts, in milliseconds; 0: no filter. Negative and invalid values mean the default, huge ones 365 days. */
export function refusalMs(filters: Filters): number {
  const seconds = filters.refuse_seconds ?? DEFAULT_REFUSE_SECONDS;
  const valid = seconds >= 0 ? seconds : DEFAULT_REFUSE_SECONDS;
  return Math.min(valid, MAX_REFUSE_SECONDS) * 1000;
}
