import { Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { failure, type Result, success } from "./result.js";
import { fromMilli, toMilli } from "./scalar.js";
import { parseValue, tokenize } from "./value-text.js";

/** Amounts by resource name, in thousandths of the resource's unit (cores, MB, ...); no name with an amount of zero. */
export type Quantities = ReadonlyMap<string, number>;

/** Reads `cpus:0.01;mem:32`; amounts of the same name add up, zeros are dropped. Errors are in Mesos's words. */
export function parseQuantities(text: string): Result<Quantities> {
  const quantities = new Map<string, number>();
  for (const token of tokenize(text, ";")) {
    const [name = "", amount = "", ...more] = tokenize(token, ":");
    if (amount === "" || more.length > 0) return failure(`Failed to parse '${token}': missing or extra ':'`);
    const value = parseValue(amount);
    if (!value.ok) return failure(`Failed to parse '${amount}' to quantity: ${value.error}`);
    if (value.value.type !== Value_Type.SCALAR) {
      return failure(`Failed to parse '${amount}' to quantity: only scalar values are allowed`);
    }
    const milli = toMilli(value.value.scalar?.value ?? 0);
    if (milli > 0) quantities.set(name.trim(), (quantities.get(name.trim()) ?? 0) + milli);
  }
  return success(quantities);
}

/** Both together, name by name. */
export function addQuantities(left: Quantities, right: Quantities): Quantities {
  const sum = new Map(left);
  for (const [name, milli] of right) sum.set(name, (sum.get(name) ?? 0) + milli);
  return sum;
}

/** What is left, never less than nothing. */
export function subtractQuantities(left: Quantities, right: Quantities): Quantities {
  const rest = new Map<string, number>();
  for (const [name, milli] of left) {
    const remaining = milli - (right.get(name) ?? 0);
    if (remaining > 0) rest.set(name, remaining);
  }
  return rest;
}

/** Whether there is at least as much on the left, name by name. */
export function containsQuantities(left: Quantities, right: Quantities): boolean {
  for (const [name, milli] of right) if ((left.get(name) ?? 0) < milli) return false;
  return true;
}

/** The amounts in the resources' own units, as protobuf maps of scalars want them. */
export function quantitiesToRecord(quantities: Quantities): Record<string, number> {
  return Object.fromEntries(Array.from(quantities, ([name, milli]) => [name, fromMilli(milli)]));
}
