import type { NoOfferCode, NoOfferReason } from "../../../sdk/contracts/allocator-explanation.js";
import { reasonText } from "./texts.js";

/** How many agents are named for each reason. */
const MAX_EXAMPLES = 5;

/** Counts agents by the reason why they are not offered. */
export class Tally {
  private readonly counts = new Map<NoOfferCode, { agents: number; readonly examples: string[] }>();
  /** Milliseconds until the first and the last of the filters end. */
  filterEndsIn: { first: number; last: number } | undefined;

  add(code: NoOfferCode, agentId: string): void {
    let count = this.counts.get(code);
    if (count === undefined) {
      count = { agents: 0, examples: [] };
      this.counts.set(code, count);
    }
    count.agents++;
    if (count.examples.length < MAX_EXAMPLES) count.examples.push(agentId);
  }

  addFilter(ms: number): void {
    const { first, last } = this.filterEndsIn ?? { first: ms, last: ms };
    this.filterEndsIn = { first: Math.min(first, ms), last: Math.max(last, ms) };
  }

  agents(code: NoOfferCode): number {
    return this.counts.get(code)?.agents ?? 0;
  }

  /** Those of most agents first. */
  reasons(): NoOfferReason[] {
    return Array.from(this.counts, ([code, { agents, examples }]) => ({
      code,
      text: reasonText(code, agents),
      agents,
      examples,
    })).sort((left, right) => right.agents - left.agents);
  }
}
