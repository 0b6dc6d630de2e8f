import type { Filters } from "../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../sdk/resources/index.js";
import { type Expiring, ExpiryQueue } from "./expiry-queue.js";

/** What a `Filters` without `refuse_seconds` means, and the longest refusal. Seconds. */
const DEFAULT_REFUSE_SECONDS = 5;
const MAX_REFUSE_SECONDS = 365 * 24 * 3600;

interface Filter extends Expiring {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  /** Unallocated; offers of these or of part of them are held back. */
  readonly refused: Resources;
}

export interface Refusal {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  /** Unallocated. */
  readonly refused: Resources;
}

/** How long a refusal lasts, in milliseconds; 0: no filter. Negative and invalid values mean the default, huge ones 365 days. */
export function refusalMs(filters: Filters): number {
  const seconds = filters.refuse_seconds ?? DEFAULT_REFUSE_SECONDS;
  const valid = seconds >= 0 ? seconds : DEFAULT_REFUSE_SECONDS;
  return Math.min(valid, MAX_REFUSE_SECONDS) * 1000;
}

/** Who does not want to be offered what again for a while: by framework, role and agent. */
export class OfferFilters {
  /** framework id -> role -> agent id -> filters */
  private readonly filters = new Map<string, Map<string, Map<string, Filter[]>>>();
  private readonly expiry: ExpiryQueue<Filter>;
  private readonly counts = new Map<string, number>();

  /** @param interval allocation interval in milliseconds: no filter is shorter, so that others get their turn first */
  constructor(private readonly interval: number) {
    this.expiry = new ExpiryQueue(interval);
  }

  /** @param now monotonic milliseconds; @param ms how long, not 0 */
  add({ frameworkId, role, agentId, refused }: Refusal, now: number, ms: number): void {
    const expiresAt = now + Math.max(ms, this.interval);
    const filter: Filter = { frameworkId, role, agentId, refused, expiresAt, bucket: undefined, place: 0 };
    let byRole = this.filters.get(frameworkId);
    if (byRole === undefined) {
      byRole = new Map();
      this.filters.set(frameworkId, byRole);
    }
    let byAgent = byRole.get(role);
    if (byAgent === undefined) {
      byAgent = new Map();
      byRole.set(role, byAgent);
    }
    const list = byAgent.get(agentId);
    if (list === undefined) byAgent.set(agentId, [filter]);
    else {
      if (list.some((other) => covers(other, filter))) return;
      for (const other of list) if (covers(filter, other)) this.forget(other);
      byAgent.set(agentId, [...list.filter((other) => !covers(filter, other)), filter]);
    }
    this.expiry.add(filter);
    this.count(role, 1);
  }

  /** Whether an offer of these unallocated resources is held back. */
  holdsBack(
    { frameworkId, role, agentId }: Omit<Refusal, "refused">,
    offer: Resources,
    now: number,
  ): boolean {
    const list = this.filters.get(frameworkId)?.get(role)?.get(agentId);
    if (list === undefined) return false;
    for (const { refused, expiresAt } of list) if (expiresAt > now && refused.contains(offer)) return true;
    return false;
  }

  /** Drops the filters whose time has come and returns the agents they were about. */
  expire(now: number): Set<string> {
    const agents = new Set<string>();
    for (const filter of this.expiry.takeExpired(now)) {
      agents.add(filter.agentId);
      this.count(filter.role, -1);
      const byRole = this.filters.get(filter.frameworkId);
      const byAgent = byRole?.get(filter.role);
      const rest = byAgent?.get(filter.agentId)?.filter((other) => other !== filter) ?? [];
      if (rest.length > 0) byAgent?.set(filter.agentId, rest);
      else byAgent?.delete(filter.agentId);
      if (byAgent?.size === 0) byRole?.delete(filter.role);
    }
    return agents;
  }

  removeRole(frameworkId: string, role: string): void {
    const byAgent = this.filters.get(frameworkId)?.get(role);
    if (byAgent === undefined) return;
    for (const list of byAgent.values()) for (const filter of list) this.forget(filter);
    this.filters.get(frameworkId)?.delete(role);
  }

  removeFramework(frameworkId: string): void {
    for (const role of [...(this.filters.get(frameworkId)?.keys() ?? [])]) this.removeRole(frameworkId, role);
    this.filters.delete(frameworkId);
  }

  removeAgent(agentId: string): void {
    for (const byRole of this.filters.values()) {
      for (const byAgent of byRole.values()) {
        for (const filter of byAgent.get(agentId) ?? []) this.forget(filter);
        byAgent.delete(agentId);
      }
    }
  }

  /** How many filters there are in a role. */
  active(role: string): number {
    return this.counts.get(role) ?? 0;
  }

  private forget(filter: Filter): void {
    this.expiry.remove(filter);
    this.count(filter.role, -1);
  }

  private count(role: string, change: number): void {
    const count = this.active(role) + change;
    if (count === 0) this.counts.delete(role);
    else this.counts.set(role, count);
  }
}

/** Whether `filter` holds back all that `other` does, for as long. Keeps lists short where a framework refuses again and again. */
function covers(filter: Filter, other: Filter): boolean {
  return filter.expiresAt >= other.expiresAt && filter.refused.contains(other.refused);
}
