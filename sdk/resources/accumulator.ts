import { Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ResourceEntry } from "./entry.js";
import type { Quantities } from "./quantities.js";
import { Resources } from "./resources.js";

/**
 * A running total that changes in place: what is used or offered on an agent, by a framework, in a role. The same
 * arithmetic as `Resources`, but the cost of a change does not grow with the number of kinds held (a framework can hold
 * thousands of volumes), and nothing is copied.
 */
export class ResourceAccumulator {
  readonly #entries = new Map<string, ResourceEntry[]>();
  readonly #milli = new Map<string, number>();
  #total: Resources | undefined = Resources.empty;

  add(resources: Resources): void {
    for (const added of resources.entries) this.#add(added);
    this.#total = resources.isEmpty ? this.#total : undefined;
  }

  /** Takes out what is there of it; what is not there is ignored. */
  subtract(resources: Resources): void {
    for (const taken of resources.entries) this.#subtract(taken);
    this.#total = resources.isEmpty ? this.#total : undefined;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** The total now; later changes do not show in it. Built when asked for, kept until the next change. */
  get total(): Resources {
    this.#total ??= Resources.fromNormalised([...this.#entries.values()].flat());
    return this.#total;
  }

  /** Thousandths of the scalar of that name. */
  milli(name: string): number {
    return this.#milli.get(name) ?? 0;
  }

  /** The scalar totals by name, in thousandths; a live view. */
  get quantities(): Quantities {
    return this.#milli;
  }

  clear(): void {
    this.#entries.clear();
    this.#milli.clear();
    this.#total = Resources.empty;
  }

  #add(added: ResourceEntry): void {
    const same = this.#entries.get(added.kind.key);
    const match = same === undefined ? -1 : same.findIndex((entry) => entry.joins(added));
    if (same === undefined) {
      this.#entries.set(added.kind.key, [added]);
    } else if (match < 0) {
      same.push(added);
    } else {
      const before = same[match]!;
      const after = before.plus(added);
      same[match] = after;
      this.#count(added, after.milli - before.milli);
      return;
    }
    this.#count(added, added.milli);
  }

  #subtract(taken: ResourceEntry): void {
    const same = this.#entries.get(taken.kind.key);
    const match = same === undefined ? -1 : same.findIndex((entry) => entry.yields(taken));
    if (same === undefined || match < 0) return;
    const before = same[match]!;
    const after = before.kind.indivisible && !before.kind.shared ? undefined : before.minus(taken);
    if (after !== undefined && !after.isEmpty) {
      same[match] = after;
      this.#count(taken, after.milli - before.milli);
      return;
    }
    same.splice(match, 1);
    if (same.length === 0) this.#entries.delete(taken.kind.key);
    this.#count(taken, -before.milli);
  }

  #count({ kind }: ResourceEntry, change: number): void {
    if (kind.type !== Value_Type.SCALAR || change === 0) return;
    const milli = (this.#milli.get(kind.name) ?? 0) + change;
    if (milli === 0) this.#milli.delete(kind.name);
    else this.#milli.set(kind.name, milli);
  }
}
