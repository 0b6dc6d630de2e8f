import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Quantities, ResourceEntry, Resources } from "../../../sdk/resources/index.js";

/** Thousandths by number of a scalar's name; a missing number is zero. */
export type Milli = number[];

/** Gives each name of a scalar a small number, so that amounts are short lists and adding them needs no look-up. */
export class ScalarNames {
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.names.length;
      this.names.push(name);
      this.numbers.set(name, number);
    }
    return number;
  }

  milliOf(quantities: Quantities): Milli {
    const milli: Milli = [];
    for (const [name, amount] of quantities) addAt(milli, this.numberOf(name), amount);
    return milli;
  }

  /** What all the accounts need to know of one bundle, found in one pass. */
  measure(resources: Resources): Measure {
    const scalars: Milli = [];
    let consumed = scalars;
    let size = 0;
    let shared: ResourceEntry[] | undefined;
    for (const entry of resources.entries) {
      const { kind, milli } = entry;
      size += entry.quantity * entry.copies;
      if (kind.type !== Value_Type.SCALAR) continue;
      const number = this.numberOf(kind.name);
      // Until something differs, the two lists are one.
      if (!kind.plain && consumed === scalars) consumed = scalars.slice();
      if (!kind.reserved && !kind.revocable && consumed !== scalars) addAt(consumed, number, milli);
      if (!kind.shared) addAt(scalars, number, milli);
      else if (shared === undefined) shared = [entry];
      else shared.push(entry);
    }
    return { scalars, consumed, shared, size };
  }
}

export interface Measure {
  /** Scalars that are not shared. */
  readonly scalars: Readonly<Milli>;
  /** Unreserved scalars that are not revocable: what counts as consumed. */
  readonly consumed: Readonly<Milli>;
  readonly shared: readonly ResourceEntry[] | undefined;
  /** Everything, ports counted like thousandths of scalars: zero exactly for nothing. */
  readonly size: number;
}

export function addAt(milli: Milli, number: number, amount: number): void {
  while (milli.length <= number) milli.push(0);
  milli[number] = milli[number]! + amount;
}

/** Adds a list to another, or takes it away. */
export function change(milli: Milli, by: Readonly<Milli>, sign: 1 | -1): void {
  while (milli.length < by.length) milli.push(0);
  for (let number = 0; number < by.length; number++) {
    milli[number] = milli[number]! + sign * by[number]!;
  }
}
