import type { InverseOfferStatus } from "../../proto/gen/mesos/v1/allocator/allocator.js";
import type { Filters, Unavailability } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentState } from "./agent-state.js";
import { refusalMs } from "./filters/refusal.js";

/** What is planned for one agent, and what frameworks have said about it. */
interface Window {
  readonly unavailability: Unavailability;
  /** Frameworks that were asked and have not answered. */
  readonly outstanding: Set<string>;
  readonly statuses: Map<string, InverseOfferStatus>;
  /** Framework id -> monotonic milliseconds until which it is not asked again. */
  readonly refusedUntil: Map<string, number>;
}

export type InverseOffer = { readonly frameworkId: string; readonly agents: Map<string, Unavailability> };

/** Agents that will be unavailable: asks every framework that holds something there whether it can do without. */
export class Maintenance {
  private readonly windows = new Map<AgentState, Window>();

  schedule(agent: AgentState, unavailability: Unavailability | undefined): void {
    this.windows.delete(agent);
    if (unavailability === undefined) return;
    this.windows.set(agent, {
      unavailability,
      outstanding: new Set(),
      statuses: new Map(),
      refusedUntil: new Map(),
    });
  }

  isScheduled(agent: AgentState): boolean {
    return this.windows.has(agent);
  }

  clear(): void {
    this.windows.clear();
  }

  /** @param answer.now monotonic milliseconds */
  answered(
    agent: AgentState,
    frameworkId: string,
    answer: { status: InverseOfferStatus | undefined; filters: Filters | undefined; now: number },
  ): void {
    const window = this.windows.get(agent);
    if (window === undefined) return;
    const { status, filters, now } = answer;
    // An answer to an offer that is no longer outstanding is about an older plan.
    if (window.outstanding.delete(frameworkId) && status !== undefined)
      window.statuses.set(frameworkId, status);
    if (filters === undefined) return;
    const ms = refusalMs(filters);
    if (ms > 0) window.refusedUntil.set(frameworkId, now + ms);
  }

  /** The framework wants to be asked again, of all agents. */
  forgetRefusals(frameworkId: string): void {
    for (const { refusedUntil } of this.windows.values()) refusedUntil.delete(frameworkId);
  }

  removeFramework(frameworkId: string): void {
    this.forgetRefusals(frameworkId);
    for (const { outstanding } of this.windows.values()) outstanding.delete(frameworkId);
  }

  statuses(): Map<string, ReadonlyMap<string, InverseOfferStatus>> {
    return new Map(Array.from(this.windows, ([agent, { statuses }]) => [agent.id, new Map(statuses)]));
  }

  /** Inverse offers to be made now; they are outstanding from then on. */
  take(isActive: (frameworkId: string) => boolean, now: number): Iterable<InverseOffer> {
    const offers = new Map<string, InverseOffer>();
    for (const [agent, window] of this.windows) {
      if (!agent.active) continue;
      for (const frameworkId of agent.holders.keys()) {
        if (window.outstanding.has(frameworkId) || !isActive(frameworkId)) continue;
        if ((window.refusedUntil.get(frameworkId) ?? Number.NEGATIVE_INFINITY) > now) continue;
        window.outstanding.add(frameworkId);
        let offer = offers.get(frameworkId);
        if (offer === undefined) {
          offer = { frameworkId, agents: new Map() };
          offers.set(frameworkId, offer);
        }
        offer.agents.set(agent.id, window.unavailability);
      }
    }
    return offers.values();
  }
}
