import type { AgentState } from "./agent-state.js";

/** Agents that have to be looked at, because something about them has changed. */
export class Candidates {
  private readonly agents = new Set<AgentState>();
  private all = false;

  constructor(private readonly everyone: ReadonlyMap<string, AgentState>) {}

  add(agent: AgentState): void {
    this.agents.add(agent);
  }

  /** Something has changed that concerns every agent. */
  addAll(): void {
    this.all = true;
  }

  remove(agent: AgentState): void {
    this.agents.delete(agent);
  }

  /** Those to look at; there are none afterwards. */
  take(): AgentState[] {
    const taken = [...(this.all ? this.everyone.values() : this.agents)];
    this.agents.clear();
    this.all = false;
    return taken;
  }
}
