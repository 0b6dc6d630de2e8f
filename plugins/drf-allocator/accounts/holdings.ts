import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import type { FrameworkState } from "../framework-state.js";
import type { Roles } from "../roles.js";
import { forEachRole } from "./for-each-role.js";
import type { Headroom } from "./headroom.js";
import { addAt, type Measure, type Milli, type ScalarNames } from "./measure.js";
import type { RoleTree } from "./role-tree.js";

export interface HoldingsOptions {
  readonly names: ScalarNames;
  readonly roles: Roles;
  readonly tree: RoleTree;
  readonly headroom: Headroom;
  /** The frameworks that are known; what others hold counts for nobody's share. */
  readonly frameworks: ReadonlyMap<string, FrameworkState>;
}

export interface HeldParts {
  /** With the role they are allocated to. */
  readonly allocated: Resources;
  /** The same, allocated to no role, where the caller has it. */
  readonly plain?: Resources;
}

/**
 * Who holds what where, offered or in use. Agents come back with tasks of frameworks that are not known yet: what these hold is
 * not free, but it counts for nobody's share before the framework is known.
 */
export class Holdings {
  private readonly byFramework = new Map<string, Set<AgentState>>();
  private readonly milli: Milli = [];
  /** Measures of whole agents, which come and go as one again and again. */
  private readonly measures = new WeakMap<Resources, Measure>();

  constructor(private readonly options: HoldingsOptions) {}

  /** A framework is known from now on: all that it holds already counts for its share. */
  count(framework: FrameworkState): void {
    for (const agent of this.byFramework.get(framework.id) ?? []) {
      const allocated = agent.heldBy(framework.id);
      if (allocated.isEmpty) continue;
      this.options.roles.hold(framework, agent, { allocated });
      this.countInUse(framework.id, agent.inUse.get(framework.id), 1);
    }
  }

  hold(
    agent: AgentState,
    frameworkId: string,
    { allocated, plain = allocated.unallocate() }: HeldParts,
  ): void {
    if (allocated.isEmpty) return;
    const measure = this.measureOf(agent, plain);
    agent.hold(frameworkId, allocated, { plain, measure });
    this.change(allocated, measure, 1);
    const agents = this.byFramework.get(frameworkId);
    if (agents === undefined) this.byFramework.set(frameworkId, new Set([agent]));
    else agents.add(agent);
    const framework = this.options.frameworks.get(frameworkId);
    if (framework !== undefined) this.options.roles.hold(framework, agent, { allocated, known: measure });
  }

  /** What is held is in use from now on. */
  use(agent: AgentState, frameworkId: string, allocated: Resources): void {
    const before = agent.inUse.get(frameworkId);
    agent.inUse.set(frameworkId, before === undefined ? allocated : before.add(allocated));
    this.countInUse(frameworkId, allocated, 1);
  }

  /**
   * Takes back what the framework holds of it; false when that is nothing.
   * @param wasUsed whether it was in use; unknown: what was merely offered goes first
   */
  release(
    agent: AgentState,
    frameworkId: string,
    { allocated, wasUsed }: { allocated: Resources; wasUsed?: boolean | undefined },
  ): boolean {
    const released = agent.release(frameworkId, allocated);
    if (released === undefined) return false;
    this.endUse(agent, frameworkId, wasUsed === true ? released.resources : undefined);
    const measure = released.measure ?? this.options.names.measure(released.resources);
    this.change(released.resources, measure, -1);
    const framework = this.options.frameworks.get(frameworkId);
    if (framework !== undefined) {
      this.options.roles.release(framework, agent, { allocated: released.resources, known: measure });
    }
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
    for (const agent of agents) this.release(agent, frameworkId, { allocated: agent.heldBy(frameworkId) });
    return agents;
  }

  /** Takes back everything on an agent that goes. */
  releaseAgent(agent: AgentState): void {
    for (const [frameworkId, { resources }] of [...agent.holders]) {
      this.release(agent, frameworkId, { allocated: resources });
    }
  }

  /** Agents where the framework holds something. */
  agentsOf(frameworkId: string): ReadonlySet<AgentState> {
    return this.byFramework.get(frameworkId) ?? new Set();
  }

  /** Thousandths of a scalar that are held, by all. */
  total(resource: string): number {
    return this.milli[this.options.names.numberOf(resource)] ?? 0;
  }

  private endUse(agent: AgentState, frameworkId: string, ended: Resources | undefined): void {
    const before = agent.inUse.get(frameworkId);
    if (before === undefined) return;
    const held = agent.heldBy(frameworkId);
    const wanted = ended === undefined ? before : before.subtract(ended);
    // Nothing is in use that is not held.
    const after = held.contains(wanted) ? wanted : wanted.subtract(wanted.subtract(held));
    if (after === before) return;
    this.countInUse(frameworkId, before, -1);
    this.countInUse(frameworkId, after, 1);
    if (after.isEmpty) agent.inUse.delete(frameworkId);
    else agent.inUse.set(frameworkId, after);
  }

  private countInUse(frameworkId: string, resources: Resources | undefined, sign: 1 | -1): void {
    const framework = this.options.frameworks.get(frameworkId);
    if (framework === undefined || resources === undefined) return;
    forEachRole(resources, (role, part) => {
      const node = framework.members.get(role)?.role.node;
      if (node !== undefined)
        this.options.tree.allocate(node, this.options.names.measure(part).consumed, sign);
    });
  }

  private measureOf(agent: AgentState, plain: Resources): Measure {
    if (plain !== agent.total) return this.options.names.measure(plain);
    let measure = this.measures.get(plain);
    if (measure === undefined) {
      measure = this.options.names.measure(plain);
      this.measures.set(plain, measure);
    }
    return measure;
  }

  private change(resources: Resources, measure: Measure, sign: 1 | -1): void {
    this.options.headroom.hold(measure.consumed, sign);
    for (const { kind, milli } of resources.entries) {
      if (kind.type === Value_Type.SCALAR)
        addAt(this.milli, this.options.names.numberOf(kind.name), sign * milli);
    }
  }
}
