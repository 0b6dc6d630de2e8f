import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ResourceEntry } from "../../../sdk/resources/index.js";
import type { Holding } from "./sorter.js";

/** Scalars held by a client or by all clients below a path, in thousandths. A shared resource counts once, however many hold it. */
export class Amounts {
  readonly milli = new Map<string, number>();
  /** How often something was added, ever: who had fewer turns goes first where shares are equal. */
  turns = 0;
  private shared: Map<string, number> | undefined;

  add(holding: Holding): void {
    this.turns++;
    this.change(holding, 1);
  }

  subtract(holding: Holding): void {
    this.change(holding, -1);
  }

  private change({ agentId, resources }: Holding, sign: 1 | -1): void {
    for (const entry of resources.entries) {
      const { kind } = entry;
      if (kind.type !== Value_Type.SCALAR) continue;
      if (kind.shared && !this.countShared(agentId, entry, sign)) continue;
      this.milli.set(kind.name, (this.milli.get(kind.name) ?? 0) + sign * entry.milli);
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
