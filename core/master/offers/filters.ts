import type { Filters } from "../../../proto/gen/mesos/v1/mesos.js";
import { DEFAULT_REFUSE_SECONDS } from "../constants.js";

/** The filters of a call, or the protocol's default if it has none. */
export function filtersOf(filters: Filters | undefined): Filters {
  return filters?.refuse_seconds === undefined ? { refuse_seconds: DEFAULT_REFUSE_SECONDS } : filters;
}
