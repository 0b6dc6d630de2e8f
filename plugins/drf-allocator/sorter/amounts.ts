import type { ResourceEntry } from "../../../sdk/resources/index.js";
import { addAt, change, type Milli, type ScalarNames } from "../accounts/measure.js";
import type { Holding } from "./sorter.js";

/** Scalars held by a client or by all clients below a path. A shared resource counts once on each agent, however many hold it. */
export class Amounts {
  milli: Milli = [];
  /** How often something was added, ever: who had fewer turns goes first where shares are equal. */
  turns = 0;
  private shared: Map<string, number> | undefined;

  constructor(private readonly names: ScalarNames) {}

  add(holding: Holding): void {
    this.turns++;
    this.change(holding, 1);
  }

  subtract(holding: Holding): void {
    this.change(holding, -1);
  }

  copyFrom(other: Amounts): void {
    this.milli = other.milli.slice();
    this.turns = other.turns;
    this.shared = other.shared === undefined ? undefined : new Map(other.shared);
  }

  private change({ agentId, measure }: Holding, sign: 1 | -1): void {
    change(this.milli, measure.scalars, sign);
    if (measure.shared === undefined) return;
    for (const entry of measure.shared) {
      if (!this.countShared(agentId, entry, sign)) continue;
      addAt(this.milli, this.names.numberOf(entry.kind.name), sign * entry.milli);
    }
  }

  /** True when the first copy comes or the last one goes. */
  private countShared(agentId: string, entry: ResourceEntry, sign: 1 | -1): boolean {
    this.shared ??= new Map();
    const key = `${agentId} ${entry.kind.key} ${entry.milli}`;
    const before = this.shared.get(key) ?? 0;
    const after = before + sign * entry.copies;
    if (after > 0) this.shared.set(key, after);
    else this.shared.delete(key);
    return before > 0 !== after > 0;
  }
}
