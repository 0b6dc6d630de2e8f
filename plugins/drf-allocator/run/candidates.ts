import type { AgentState } from "../agent-state.js";
import type { Member } from "../roles.js";

/** Agents to be looked at, in any order. */
export interface Visits {
  readonly agents: AgentState[];
  /** Agents that concern only one member; the others concern everybody. */
  readonly only: ReadonlyMap<AgentState, Member>;
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
    // Whole maps, where they need no merging: with everything declined there is a note for every agent.
    if (this.agents.size === 0) [this.agents, other.agents] = [other.agents, this.agents];
    for (const [agent, only] of other.agents) this.addAgent(agent, only ?? undefined);
    for (const member of other.members) this.members.add(member);
    this.all ||= other.all;
    other.clear();
  }

  /** What is to be visited now: agents that have something free. Nothing is noted afterwards. */
  take(): Visits {
    const members = [...this.members].filter(({ wants }) => wants);
    const visits = this.all || members.length > 0 ? this.takeEveryAgent(members) : this.takeNoted();
    this.clear();
    return visits;
  }

  private takeNoted(): Visits {
    const agents: AgentState[] = [];
    const only = new Map<AgentState, Member>();
    for (const [agent, member] of this.agents) {
      if (agent.gone || agent.isExhausted) continue;
      agents.push(agent);
      if (member !== EVERYBODY) only.set(agent, member);
    }
    return { agents, only };
  }

  private takeEveryAgent(members: readonly Member[]): Visits {
    const agents: AgentState[] = [];
    const only = new Map<AgentState, Member>();
    const [first] = members;
    const alone = members.length === 1 && !this.all ? first : undefined;
    for (const agent of this.everyone.values()) {
      if (agent.isExhausted) continue;
      agents.push(agent);
      if (alone === undefined) continue;
      const noted = this.agents.get(agent);
      if (noted === undefined || noted === alone) only.set(agent, alone);
    }
    return { agents, only };
  }

  private clear(): void {
    this.agents = new Map();
    this.members = new Set();
    this.all = false;
  }
}
