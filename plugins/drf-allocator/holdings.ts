import { Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../sdk/resources/index.js";
import type { AgentState } from "./agent-state.js";
import { addAt, type Milli, type ScalarNames } from "./measure.js";
import type { RoleLedger } from "./role-ledger.js";

/**
 * Who holds what where, offered or in use. Agents come back with tasks of frameworks that are not known yet: what these hold is
 * not free, but it counts for nobody's share before the framework is counted.
 */
export class Holdings {
  private readonly byFramework = new Map<string, Set<AgentState>>();
  private readonly counted = new Set<string>();
  private readonly milli: Milli = [];

  constructor(
    private readonly ledger: RoleLedger,
    private readonly names: ScalarNames,
  ) {}

  /** From now on what the framework holds counts for its share, with all that it holds already. */
  count(frameworkId: string): void {
    if (this.counted.has(frameworkId)) return;
    this.counted.add(frameworkId);
    for (const agent of this.byFramework.get(frameworkId) ?? []) {
      const held = agent.holders.get(frameworkId);
      if (held !== undefined) this.ledger.hold(frameworkId, agent.id, held);
    }
  }

  /**
   * @param allocated with the role they are allocated to
   * @param plain the same, allocated to no role, where the caller has it
   */
  hold(agent: AgentState, frameworkId: string, allocated: Resources, plain = allocated.unallocate()): void {
    if (allocated.isEmpty) return;
    agent.hold(frameworkId, allocated, plain);
    this.change(allocated, 1);
    const agents = this.byFramework.get(frameworkId);
    if (agents === undefined) this.byFramework.set(frameworkId, new Set([agent]));
    else agents.add(agent);
    if (this.counted.has(frameworkId)) this.ledger.hold(frameworkId, agent.id, allocated);
  }

  /** Takes back what the framework holds of it; false when that is nothing. */
  release(agent: AgentState, frameworkId: string, allocated: Resources): boolean {
    const released = agent.release(frameworkId, allocated);
    if (released.isEmpty) return false;
    this.change(released, -1);
    if (this.counted.has(frameworkId)) this.ledger.release(frameworkId, agent.id, released);
    if (!agent.holders.has(frameworkId)) {
      const agents = this.byFramework.get(frameworkId);
      agents?.delete(agent);
      if (agents?.size === 0) this.byFramework.delete(frameworkId);
    }
    return true;
  }

  /** Takes back everything of a framework that goes; returns the agents where it held something. */
  releaseFramework(frameworkId: string): AgentState[] {
    const agents = [...(this.byFramework.get(frameworkId) ?? [])];
    for (const agent of agents) {
      const held = agent.holders.get(frameworkId);
      if (held !== undefined) this.release(agent, frameworkId, held);
    }
    this.counted.delete(frameworkId);
    return agents;
  }

  /** Takes back everything on an agent that goes. */
  releaseAgent(agent: AgentState): void {
    for (const [frameworkId, held] of [...agent.holders]) this.release(agent, frameworkId, held);
  }

  /** Thousandths of a scalar that are held, by all. */
  total(resource: string): number {
    return this.milli[this.names.numberOf(resource)] ?? 0;
  }

  private change(resources: Resources, sign: 1 | -1): void {
    for (const { kind, milli } of resources.entries) {
      if (kind.type === Value_Type.SCALAR) addAt(this.milli, this.names.numberOf(kind.name), sign * milli);
    }
  }
}
