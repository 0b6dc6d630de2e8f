import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Quantities, ResourceEntry, Resources } from "../../../sdk/resources/index.js";

/** Thousandths by number of a scalar's name; a missing number is zero. */
export type Milli = number[];

/** Gives each name of a scalar a small number, so that amounts are short lists and adding them needs no look-up. */
export class ScalarNames {
  readonly names: string[] = [];
  private readonly numbers = new Map<string, number>();
  /** As long as `names`. */
  private readonly zeros: Milli = [];
  private last: Measure | undefined;

  numberOf(name: string): number {
    let number = this.numbers.get(name);
    if (number === undefined) {
      number = this.names.length;
      this.names.push(name);
      this.zeros.push(0);
      this.numbers.set(name, number);
    }
    return number;
  }

  milliOf(quantities: Quantities): Milli {
    const milli: Milli = [];
    for (const [name, amount] of quantities) addAt(milli, this.numberOf(name), amount);
    return milli;
  }

  /** What all the accounts need to know of one bundle, found in one pass. The same object as the time before where that will do. */
  measure(resources: Resources): Measure {
    const measure = this.take(resources);
    // Agents are mostly alike, and what thousands share is in the cache when it is needed.
    if (this.last === undefined || !areAlike(this.last, measure)) this.last = measure;
    return this.last;
  }

  private take(resources: Resources): Measure {
    // As long as it will be: a list that grows by one is given room for many.
    const scalars = this.zeros.slice();
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

function areAlike(left: Measure, right: Measure): boolean {
  if (left.size !== right.size || left.shared !== undefined || right.shared !== undefined) return false;
  return areEqual(left.scalars, right.scalars) && areEqual(left.consumed, right.consumed);
}

function areEqual(left: Readonly<Milli>, right: Readonly<Milli>): boolean {
  if (left.length !== right.length) return false;
  for (let number = 0; number < left.length; number++) if (left[number] !== right[number]) return false;
  return true;
}
