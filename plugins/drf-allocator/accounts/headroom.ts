import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../../sdk/resources/index.js";
import { addAt, type Milli, type ScalarNames } from "./measure.js";
import type { RoleTree } from "./role-tree.js";

/**
 * What is free in the cluster of unreserved, non-revocable scalars, against what guarantees still miss: nobody may be given so much,
 * beyond its own guarantee, that the rest would not do for all guarantees.
 */
export class Headroom {
  private readonly free: Milli = [];

  constructor(
    private readonly names: ScalarNames,
    private readonly roles: RoleTree,
  ) {}

  /** An agent's resources come, or (`sign` -1) go. */
  addTotal(total: Resources, sign: 1 | -1): void {
    for (const { kind, milli } of total.entries) {
      if (kind.type !== Value_Type.SCALAR || kind.reserved || kind.revocable) continue;
      addAt(this.free, this.names.numberOf(kind.name), sign * milli);
    }
    this.roles.relaxations++;
  }

  /** @param consumed unreserved, non-revocable scalars that are held, or (`sign` -1) free again */
  hold(consumed: Readonly<Milli>, sign: 1 | -1): void {
    for (let number = 0; number < consumed.length; number++)
      addAt(this.free, number, -sign * consumed[number]!);
  }

  /** How much may be given to whoever is not owed it; infinite where no guarantee misses any. */
  surplus(number: number): number {
    const missing = this.roles.missing[number] ?? 0;
    return missing <= 0 ? Number.POSITIVE_INFINITY : Math.max(0, (this.free[number] ?? 0) - missing);
  }
}
