import type { Resources } from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import type { Member } from "../roles.js";
import { type Expiring, ExpiryQueue } from "./expiry-queue.js";

/** One refusal: offers of these resources, or of part of them, are held back. */
export interface Filter extends Expiring {
  readonly member: Member;
  readonly agent: AgentState;
  /** Unallocated. */
  readonly refused: Resources;
  /** Another one of the same member and agent: seldom there is more than one. */
  next: Filter | undefined;
}

/** Who does not want to be offered what again for a while. The filters themselves are with their members, by agent. */
export class OfferFilters {
  private readonly expiry: ExpiryQueue<Filter>;
  private readonly counts = new Map<string, number>();

  /** @param interval allocation interval in milliseconds: no filter is shorter, so that others get their turn first */
  constructor(private readonly interval: number) {
    this.expiry = new ExpiryQueue(interval);
  }

  /** @param refusal.now monotonic milliseconds; `ms`: how long, not 0 */
  add(member: Member, agent: AgentState, refusal: { refused: Resources; now: number; ms: number }): void {
    const { refused, now, ms } = refusal;
    const expiresAt = now + Math.max(ms, this.interval);
    const first = member.filters.get(agent);
    const filter: Filter = {
      member,
      agent,
      refused,
      expiresAt,
      next: undefined,
      bucket: undefined,
      place: 0,
    };
    for (let other = first; other !== undefined; other = other.next) if (covers(other, filter)) return;
    for (let other = first; other !== undefined; other = other.next) {
      if (covers(filter, other)) this.forget(other);
    }
    filter.next = without(first, (other) => covers(filter, other));
    member.filters.set(agent, filter);
    this.expiry.add(filter);
    this.count(member.role.name, 1);
  }

  /** The filter that holds back an offer of these unallocated resources. */
  blocking(
    member: Member,
    agent: AgentState,
    { offer, now }: { offer: Resources; now: number },
  ): Filter | undefined {
    for (let filter = member.filters.get(agent); filter !== undefined; filter = filter.next) {
      if (filter.expiresAt > now && filter.refused.contains(offer)) return filter;
    }
    return undefined;
  }

  /** Drops filters whose time has come, at most so many, and returns them. */
  expire(now: number, limit: number): readonly Filter[] {
    const expired = this.expiry.takeExpired(now, limit);
    for (const filter of expired) {
      const { member, agent } = filter;
      this.count(member.role.name, -1);
      const first = member.filters.get(agent);
      const rest = first === filter ? filter.next : without(first, (other) => other === filter);
      if (rest === undefined) member.filters.delete(agent);
      else member.filters.set(agent, rest);
    }
    return expired;
  }

  removeMember(member: Member): void {
    for (const filter of member.filters.values()) this.forgetAll(filter);
    member.filters.clear();
  }

  removeAgent(members: Iterable<Member>, agent: AgentState): void {
    for (const member of members) {
      this.forgetAll(member.filters.get(agent));
      member.filters.delete(agent);
    }
  }

  /** How many filters there are in a role. */
  active(role: string): number {
    return this.counts.get(role) ?? 0;
  }

  private forgetAll(first: Filter | undefined): void {
    for (let filter = first; filter !== undefined; filter = filter.next) this.forget(filter);
  }

  private forget(filter: Filter): void {
    this.expiry.remove(filter);
    this.count(filter.member.role.name, -1);
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

/** The chain without some of its filters. */
function without(first: Filter | undefined, drop: (filter: Filter) => boolean): Filter | undefined {
  let kept: Filter | undefined;
  let next: Filter | undefined;
  for (let filter = first; filter !== undefined; filter = next) {
    next = filter.next;
    if (drop(filter)) continue;
    filter.next = kept;
    kept = filter;
  }
  return kept;
}
