import type { Quantities } from "../../../sdk/resources/index.js";
import { change, type Milli, ScalarNames } from "../accounts/measure.js";

/** The scalars of all agents: what shares are shares of. One for all sorters of an allocator. */
export class ClusterTotals {
  readonly names = new ScalarNames();
  private readonly milli: Milli = [];
  /** By number; grows with the names. */
  private readonly counts: boolean[] = [];
  /** Grows with each change. */
  version = 0;

  /** @param excluded names that do not count in shares */
  constructor(private readonly excluded: ReadonlySet<string>) {}

  add(quantities: Quantities): void {
    this.change(quantities, 1);
  }

  subtract(quantities: Quantities): void {
    this.change(quantities, -1);
  }

  get(name: string): number {
    return this.milli[this.names.numberOf(name)] ?? 0;
  }

  /** The largest share, over the resources that count, that the amounts have of the cluster. */
  dominantShare(amounts: Readonly<Milli>): number {
    let share = 0;
    for (let number = 0; number < amounts.length; number++) {
      const total = this.milli[number];
      if (total === undefined || total <= 0 || !this.counts[number]) continue;
      const own = amounts[number]! / total;
      if (own > share) share = own;
    }
    return share;
  }

  private change(quantities: Quantities, sign: 1 | -1): void {
    if (quantities.size === 0) return;
    change(this.milli, this.names.milliOf(quantities), sign);
    while (this.counts.length < this.milli.length) {
      this.counts.push(!this.excluded.has(this.names.names[this.counts.length]!));
    }
    this.version++;
  }
}
