import type { Quantities } from "../../../sdk/resources/index.js";

/** The scalars of all agents, in thousandths: what shares are shares of. One for all sorters of an allocator. */
export class ClusterTotals {
  private readonly milli = new Map<string, number>();
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
    return this.milli.get(name) ?? 0;
  }

  /** The largest share, over the resources that count, that the amounts have of the cluster. */
  dominantShare(amounts: ReadonlyMap<string, number>): number {
    let share = 0;
    for (const [name, total] of this.milli) {
      if (total <= 0 || this.excluded.has(name)) continue;
      const own = (amounts.get(name) ?? 0) / total;
      if (own > share) share = own;
    }
    return share;
  }

  private change(quantities: Quantities, sign: 1 | -1): void {
    if (quantities.size === 0) return;
    for (const [name, milli] of quantities) this.milli.set(name, this.get(name) + sign * milli);
    this.version++;
  }
}
