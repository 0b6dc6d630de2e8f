import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { type ResourceEntry, Resources } from "../../../sdk/resources/index.js";
import type { ScalarNames } from "../accounts/measure.js";

/** Whether quota applies to it: scalars that are neither reserved nor revocable. */
export const countsForQuota = ({ kind }: ResourceEntry): boolean =>
  kind.type === Value_Type.SCALAR && !kind.reserved && !kind.revocable;

/**
 * As much of the resources as there is room for; those that come only as a whole, as a whole or not at all. The same bundle where
 * there is room for everything.
 * @param roomFor thousandths by number of the scalar; infinite for no bound
 */
export function chop(
  resources: Resources,
  names: ScalarNames,
  roomFor: (number: number) => number,
): Resources {
  let taken: number[] | undefined;
  let chopped: ResourceEntry[] | undefined;
  const { entries } = resources;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const number = names.numberOf(entry.kind.name);
    const room = roomFor(number) - (taken?.[number] ?? 0);
    const fits = room >= entry.milli ? entry : part(entry, room);
    if (room !== Number.POSITIVE_INFINITY) {
      taken ??= [];
      taken[number] = (taken[number] ?? 0) + (fits?.milli ?? 0);
    }
    if (fits !== entry && chopped === undefined) chopped = entries.slice(0, i);
    if (chopped !== undefined && fits !== undefined) chopped.push(fits);
  }
  return chopped === undefined ? resources : Resources.fromNormalised(chopped);
}

function part(entry: ResourceEntry, room: number): ResourceEntry | undefined {
  return room <= 0 || entry.kind.indivisible || entry.kind.shared ? undefined : entry.withMilli(room);
}
