import type { Resource_ReservationInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { messageOf } from "./entry.js";
import type { Resources } from "./resources.js";
import { failure, type Result, success } from "./result.js";
import { validateResource } from "./validate.js";

/** The resources reserved one level further; an error (in Mesos's words) when that makes no valid stack. */
export function pushReservation(
  resources: Resources,
  reservation: Resource_ReservationInfo,
): Result<Resources> {
  const pushed = resources.mapEntries((entry) =>
    entry.withKind(entry.kind.with({ reservations: [...entry.kind.reservations, reservation] })),
  );
  for (const entry of pushed) {
    const problem = validateResource(messageOf(entry));
    if (problem !== undefined) return failure(problem);
  }
  return success(pushed);
}

/** The resources without their innermost reservation; unreserved resources stay as they are. */
export function popReservation(resources: Resources): Resources {
  return resources.mapEntries((entry) =>
    entry.kind.reserved
      ? entry.withKind(entry.kind.with({ reservations: entry.kind.reservations.slice(0, -1) }))
      : entry,
  );
}
