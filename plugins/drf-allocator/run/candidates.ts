import type { AgentState } from "../agent-state.js";
import type { Member } from "../roles.js";

/** An agent to be looked at, for everybody or for one member only. */
export interface Candidate {
  readonly agent: AgentState;
  /** Undefined: everybody. */
  readonly only: Member | undefined;
}

const EVERYBODY = null;

/**
 * What has to be looked at, because something has changed: agents, for everybody; members, on every agent; or one member on one
 * agent. An agent that was visited and still has something free has it because nobody may or wants to have it, and that stays so
 * until one of these is noted.
 */
export class Candidates {
  private agents = new Map<AgentState, Member | typeof EVERYBODY>();
  private members = new Set<Member>();
  private all = false;

  constructor(private readonly everyone: ReadonlyMap<string, AgentState>) {}

  /** @param only the one whom the change concerns; nobody: it may concern everybody */
  addAgent(agent: AgentState, only?: Member): void {
    const noted = this.agents.get(agent);
    this.agents.set(agent, only === undefined || (noted !== undefined && noted !== only) ? EVERYBODY : only);
  }

  /** The member wants, or may have, something that it did not before. */
  addMember(member: Member): void {
    this.members.add(member);
  }

  /** Something has changed that concerns every agent and everybody. */
  addAll(): void {
    this.all = true;
  }

  get isEmpty(): boolean {
    return !this.all && this.members.size === 0 && this.agents.size === 0;
  }

  /** Takes over what another one has noted, which is empty then. */
  absorb(other: Candidates): void {
    for (const [agent, only] of other.agents) this.addAgent(agent, only ?? undefined);
    for (const member of other.members) this.members.add(member);
    this.all ||= other.all;
    other.clear();
  }

  /** What is to be visited now: agents that have something free. Nothing is noted afterwards. */
  take(): Candidate[] {
    const { agents } = this;
    const members = [...this.members].filter(({ wants }) => wants);
    const [first] = members;
    const only = members.length === 1 ? first : undefined;
    const candidates: Candidate[] = [];
    if (this.all || members.length > 0) {
      for (const agent of this.everyone.values()) {
        if (agent.available.isEmpty) continue;
        const noted = this.all ? EVERYBODY : agents.get(agent);
        const alone = only !== undefined && !this.all && (noted === undefined || noted === only);
        candidates.push({ agent, only: alone ? only : undefined });
      }
    } else {
      for (const [agent, one] of agents) {
        if (!agent.gone && !agent.available.isEmpty) candidates.push({ agent, only: one ?? undefined });
      }
    }
    this.clear();
    return candidates;
  }

  private clear(): void {
    this.agents = new Map();
    this.members = new Set();
    this.all = false;
  }
}
