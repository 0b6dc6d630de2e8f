import type { Resources } from "../../../sdk/resources/index.js";
import type { AgentState, Bundle, OfferedBundle } from "../agent-state.js";
import type { FrameworkState } from "../framework-state.js";
import type { Member, Roles } from "../roles.js";
import { forEachRole } from "./for-each-role.js";
import type { Headroom } from "./headroom.js";
import { addAt, change, type Measure, type Milli, type ScalarNames } from "./measure.js";
import type { RoleTree } from "./role-tree.js";

export interface HoldingsOptions {
  readonly names: ScalarNames;
  readonly roles: Roles;
  readonly tree: RoleTree;
  readonly headroom: Headroom;
  /** The frameworks that are known; what others hold counts for nobody's share. */
  readonly frameworks: ReadonlyMap<string, FrameworkState>;
  readonly agents: ReadonlyMap<string, AgentState>;
}

/**
 * Who holds what where, offered or in use. Agents come back with tasks of frameworks that are not known yet: what these hold is
 * not free, but it counts for nobody's share before the framework is known.
 */
export class Holdings {
  /** Where frameworks that are not known hold something. */
  private readonly strangers = new Map<string, Set<AgentState>>();
  private readonly milli: Milli = [];

  constructor(private readonly options: HoldingsOptions) {}

  /** A framework is known from now on: all that it holds already counts for its share. */
  count(framework: FrameworkState): void {
    for (const agent of this.strangers.get(framework.id) ?? []) {
      const allocated = agent.heldBy(framework.id);
      if (agent.gone || allocated.isEmpty) continue;
      this.options.roles.hold(framework, agent, { allocated });
      this.countInUse(framework.id, { allocated: agent.inUse.get(framework.id) }, 1);
    }
    this.strangers.delete(framework.id);
  }

  /** What a member is offered. */
  offer(agent: AgentState, member: Member, bundle: OfferedBundle): void {
    agent.offer(member.framework.id, bundle);
    this.change(bundle.measure, 1);
    this.options.roles.holdAs(member, agent, bundle.measure);
  }

  /** @param allocated with the roles they are allocated to */
  hold(agent: AgentState, frameworkId: string, allocated: Resources): void {
    if (allocated.isEmpty) return;
    const plain = allocated.unallocate();
    const measure = this.options.names.measure(allocated);
    agent.hold(frameworkId, { allocated, plain, measure });
    this.enter(agent, frameworkId, { allocated, known: measure });
  }

  /** The agent knows of it already. */
  private enter(
    agent: AgentState,
    frameworkId: string,
    held: { allocated: Resources; known: Measure },
  ): void {
    this.change(held.known, 1);
    const framework = this.options.frameworks.get(frameworkId);
    if (framework !== undefined) this.options.roles.hold(framework, agent, held);
    else this.note(frameworkId, agent);
  }

  /** What an agent has in use when it comes, by framework. */
  bring(agent: AgentState, used: ReadonlyMap<string, Resources>): void {
    const bundles = new Map<string, Bundle & { readonly measure: Measure }>();
    for (const [frameworkId, allocated] of used) {
      if (allocated.isEmpty) continue;
      bundles.set(frameworkId, {
        allocated,
        plain: undefined,
        measure: this.options.names.measure(allocated),
      });
    }
    if (bundles.size === 0) return;
    agent.bring(bundles);
    for (const [frameworkId, { allocated, measure }] of bundles) {
      this.enter(agent, frameworkId, { allocated, known: measure });
      agent.inUse.set(frameworkId, allocated);
      this.countInUse(frameworkId, { allocated, known: measure }, 1);
    }
  }

  /** What is held is in use from now on. */
  use(agent: AgentState, frameworkId: string, allocated: Resources): void {
    const before = agent.inUse.get(frameworkId);
    agent.inUse.set(frameworkId, before === undefined ? allocated : before.add(allocated));
    this.countInUse(frameworkId, { allocated }, 1);
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
    this.endUse(agent, frameworkId, wasUsed === true ? released.allocated : undefined);
    const { allocated: freed } = released;
    const measure = released.measure ?? this.options.names.measure(freed);
    this.change(measure, -1);
    const framework = this.options.frameworks.get(frameworkId);
    if (framework !== undefined) {
      this.options.roles.release(framework, agent, { allocated: freed, known: measure });
    }
    return true;
  }

  /** Takes back everything of a framework that goes; returns the agents where it held something. */
  releaseFramework(frameworkId: string): AgentState[] {
    const agents = this.agentsOf(frameworkId);
    for (const agent of agents) this.release(agent, frameworkId, { allocated: agent.heldBy(frameworkId) });
    this.strangers.delete(frameworkId);
    return agents;
  }

  /** Takes back everything on an agent that goes. */
  releaseAgent(agent: AgentState): void {
    for (const [frameworkId, { allocated }] of [...agent.holders]) {
      this.release(agent, frameworkId, { allocated });
      this.strangers.get(frameworkId)?.delete(agent);
    }
  }

  /** Agents where the framework holds something. */
  agentsOf(frameworkId: string): AgentState[] {
    const agents: AgentState[] = [];
    for (const agent of this.options.agents.values()) if (agent.holders.has(frameworkId)) agents.push(agent);
    return agents;
  }

  /** Thousandths of a scalar that are held, by all. */
  total(resource: string): number {
    return this.milli[this.options.names.numberOf(resource)] ?? 0;
  }

  private note(frameworkId: string, agent: AgentState): void {
    const agents = this.strangers.get(frameworkId);
    if (agents === undefined) this.strangers.set(frameworkId, new Set([agent]));
    else agents.add(agent);
  }

  private endUse(agent: AgentState, frameworkId: string, ended: Resources | undefined): void {
    const before = agent.inUse.get(frameworkId);
    if (before === undefined) return;
    const held = agent.heldBy(frameworkId);
    const wanted = ended === undefined ? before : before.subtract(ended);
    // Nothing is in use that is not held.
    const after = held.contains(wanted) ? wanted : wanted.subtract(wanted.subtract(held));
    if (after === before) return;
    this.countInUse(frameworkId, { allocated: before }, -1);
    this.countInUse(frameworkId, { allocated: after }, 1);
    if (after.isEmpty) agent.inUse.delete(frameworkId);
    else agent.inUse.set(frameworkId, after);
  }

  /** @param used.known the measure, where the caller has it */
  private countInUse(
    frameworkId: string,
    { allocated, known }: { allocated: Resources | undefined; known?: Measure },
    sign: 1 | -1,
  ): void {
    const framework = this.options.frameworks.get(frameworkId);
    if (framework === undefined || allocated === undefined) return;
    const { names, tree } = this.options;
    forEachRole(allocated, (role, part) => {
      const node = framework.members.get(role)?.role.node;
      if (node === undefined) return;
      const measure = known !== undefined && part === allocated ? known : names.measure(part);
      tree.allocate(node, measure.consumed, sign);
    });
  }

  private change(measure: Measure, sign: 1 | -1): void {
    this.options.headroom.hold(measure.consumed, sign);
    change(this.milli, measure.scalars, sign);
    // Every copy of a shared resource is held by itself.
    for (const { kind, milli, copies } of measure.shared ?? []) {
      addAt(this.milli, this.options.names.numberOf(kind.name), sign * milli * copies);
    }
  }
}
