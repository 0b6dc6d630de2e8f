import type { ResourceEntry } from "./entry.js";
import { Resources } from "./resources.js";

/**
 * Looks in `total` for amounts like `targets`, whatever their reservation: for each target first in the role that it is
 * reserved for, then among the unreserved, then anywhere. Gives what was found, with the reservations it has there, or
 * undefined when any target is missing. For frameworks that pick a task's resources out of an offer.
 */
export function findResources(total: Resources, targets: Resources): Resources | undefined {
  let found = Resources.empty;
  for (const target of targets) {
    const one = findOne(total, target);
    if (one === undefined) return undefined;
    found = found.add(one);
  }
  return found;
}

function findOne(total: Resources, target: ResourceEntry): Resources | undefined {
  const role = target.kind.reservationRole;
  const preference = ({ kind }: ResourceEntry): number => {
    if (role !== undefined && kind.reservationRole === role) return 0;
    return kind.reserved ? 2 : 1;
  };
  const candidates = total.entries
    .filter(({ kind }) => kind.name === target.name)
    .sort((left, right) => preference(left) - preference(right));

  let found = Resources.empty;
  let missing = Resources.fromEntries([target]).toUnreserved();
  for (const candidate of candidates) {
    const unreserved = Resources.fromEntries([candidate]).toUnreserved();
    const { reservations } = candidate.kind;
    if (unreserved.contains(missing)) {
      const rest = missing.mapEntries((entry) => entry.withKind(entry.kind.with({ reservations })));
      return found.add(rest);
    }
    if (missing.contains(unreserved)) {
      found = found.add(Resources.fromEntries([candidate]));
      missing = missing.subtract(unreserved);
    }
  }
  return undefined;
}
