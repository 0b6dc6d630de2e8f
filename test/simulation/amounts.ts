import type { Resource } from "../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../sdk/resources/index.js";
import type { Dice } from "./dice.js";

/** A quantity of one resource, reserved or unreserved. */
export function amountOf(
  available: Resources,
  name: string,
  value: number,
  dice: Dice,
): Resource | undefined {
  const kinds = available
    .named(name)
    .toMessages()
    .filter((resource) => resource.scalar !== undefined && resource.disk === undefined)
    .filter(({ scalar }) => (scalar?.value ?? 0) >= value);
  const kind = dice.pick(kinds);
  return kind && { ...kind, scalar: { value } };
}
