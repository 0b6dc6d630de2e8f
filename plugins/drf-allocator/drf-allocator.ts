import type { InverseOfferStatus } from "../../proto/gen/mesos/v1/allocator/allocator.js";
import type {
  AgentInfo,
  AgentInfo_Capability,
  Filters,
  Unavailability,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { sameAttributes } from "../../sdk/attributes/index.js";
import type {
  Allocator,
  AllocatorAgent,
  AllocatorCallbacks,
  AllocatorFramework,
  Conversion,
  ResourceRecovery,
  RoleQuota,
} from "../../sdk/contracts/allocator.js";
import type { FrameworkExplanation } from "../../sdk/contracts/allocator-explanation.js";
import type { Resources } from "../../sdk/resources/index.js";
import { forEachRole } from "./accounts/for-each-role.js";
import { AgentState } from "./agent-state.js";
import { Books } from "./books.js";
import { ConstraintsReader } from "./constraints/offer-constraints.js";
import { Explainer } from "./explain/explainer.js";
import { refusalMs } from "./filters/refusal.js";
import { FrameworkState } from "./framework-state.js";
import { Maintenance } from "./maintenance.js";
import type { DrfAllocatorOptions } from "./options.js";
import { Engine } from "./run/engine.js";

/**
 * The hierarchical allocator: roles take turns by dominant resource fairness, frameworks within a role likewise, and each turn is
 * the offer of all that an agent has free and quota leaves.
 *
 * This class turns what the master tells into changes of the books and notes what has to be looked at; the engine's runs then visit
 * just that.
 */
export class DrfAllocator implements Allocator {
  private readonly books: Books;
  private readonly maintenance = new Maintenance();
  private readonly engine: Engine;
  private readonly constraints: ConstraintsReader;

  constructor(private readonly options: DrfAllocatorOptions) {
    this.books = new Books(options, () => Number(this.engine.isPending));
    this.engine = new Engine(options, this.books, this.maintenance);
    this.constraints = new ConstraintsReader(options.patternLimits);
  }

  start(callbacks: AllocatorCallbacks): void {
    this.engine.start(callbacks);
  }

  stop(): void {
    this.engine.stop();
    this.maintenance.clear();
    for (const { owner } of [...this.books.tree.quotas()]) this.updateQuota(owner.path, NO_QUOTA);
  }

  addFramework(framework: AllocatorFramework, used: ReadonlyMap<string, Resources>): void {
    if (this.books.frameworks.has(framework.id)) {
      this.updateFramework(framework);
      return;
    }
    const state = new FrameworkState(framework, this.constraints.read(framework.offerConstraints));
    this.books.frameworks.set(state.id, state);
    for (const role of state.roles) this.books.roles.subscribe(state, role);
    this.books.updateWants(state);
    this.books.holdings.count(state);
    for (const [agentId, resources] of used) {
      const agent = this.books.agents.get(agentId);
      if (agent === undefined) continue;
      // Usually nothing: the agent has told, when it came.
      this.books.holdUsed(agent, state.id, resources.subtract(agent.heldBy(state.id)));
    }
    if (state.active) this.engine.reconsiderFramework(state);
  }

  updateFramework(framework: AllocatorFramework): void {
    const state = this.books.frameworks.get(framework.id);
    if (state === undefined) return;
    const before = { roles: state.roles, suppressed: new Set(state.suppressed) };
    state.update(framework, this.constraints.read(framework.offerConstraints));
    for (const role of before.roles) {
      if (state.roles.has(role)) continue;
      this.books.forgetRefusals(state, role);
      this.books.roles.unsubscribe(state, role);
    }
    for (const role of state.roles) {
      if (!before.roles.has(role)) this.books.roles.subscribe(state, role);
      // Lifting a suppression is a revival, which clears filters.
      if (before.suppressed.has(role) && !state.suppressed.has(role)) this.books.forgetRefusals(state, role);
    }
    this.books.updateWants(state);
    // No run of its own, as in Mesos: a framework that updates itself in a loop must not drive the allocator.
    this.engine.reconsiderFrameworkLater(state);
    if (framework.active && !state.active) this.activateFramework(state.id);
    if (!framework.active && state.active) this.deactivateFramework(state.id);
  }

  removeFramework(frameworkId: string): void {
    this.engine.gather(this.books.holdings.releaseFramework(frameworkId));
    const state = this.books.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of state.roles) this.books.roles.unsubscribe(state, role);
    this.maintenance.removeFramework(frameworkId);
    this.books.frameworks.delete(frameworkId);
  }

  activateFramework(frameworkId: string): void {
    const state = this.books.frameworks.get(frameworkId);
    if (state === undefined) return;
    state.active = true;
    this.books.updateWants(state);
    this.engine.reconsiderFramework(state);
  }

  deactivateFramework(frameworkId: string): void {
    const state = this.books.frameworks.get(frameworkId);
    if (state === undefined) return;
    state.active = false;
    this.books.updateWants(state);
    for (const member of state.members.values()) this.books.filters.removeMember(member);
    this.maintenance.forgetRefusals(frameworkId);
  }

  addAgent(added: AllocatorAgent): void {
    if (this.books.agents.has(added.id)) this.removeAgent(added.id);
    const agent = new AgentState(added);
    this.books.agents.set(agent.id, agent);
    this.books.countTotal(agent.total, 1);
    this.books.holdings.bring(agent, added.used);
    this.maintenance.schedule(agent, added.unavailability);
    this.engine.holdOff.agentAdded(this.books.agents.size);
    this.engine.reconsider(agent);
  }

  updateAgent(update: {
    id: string;
    info?: AgentInfo;
    capabilities?: readonly AgentInfo_Capability[];
    total?: Resources;
  }): void {
    const agent = this.books.agents.get(update.id);
    if (agent === undefined) return;
    if (update.info !== undefined) {
      // Filters were about the agent as it was.
      if (!sameAttributes(update.info.attributes, agent.info.attributes)) this.books.forgetRefusalsOf(agent);
      agent.info = update.info;
    }
    if (update.capabilities !== undefined) agent.capabilities = update.capabilities;
    if (update.total !== undefined) this.books.setTotal(agent, update.total);
    this.engine.reconsider(agent);
  }

  removeAgent(agentId: string): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined) return;
    this.books.holdings.releaseAgent(agent);
    this.books.countTotal(agent.total, -1);
    this.books.forgetRefusalsOf(agent);
    this.maintenance.schedule(agent, undefined);
    agent.gone = true;
    this.books.agents.delete(agentId);
  }

  activateAgent(agentId: string): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined) return;
    agent.active = true;
    this.engine.reconsider(agent);
  }

  deactivateAgent(agentId: string): void {
    const agent = this.books.agents.get(agentId);
    if (agent !== undefined) agent.active = false;
  }

  addResourceProvider(provider: {
    agentId: string;
    total: Resources;
    used: ReadonlyMap<string, Resources>;
  }): void {
    const agent = this.books.agents.get(provider.agentId);
    if (agent === undefined) return;
    this.books.setTotal(agent, agent.total.add(provider.total));
    for (const [frameworkId, resources] of provider.used) {
      this.books.holdUsed(agent, frameworkId, resources);
    }
    this.engine.reconsider(agent);
  }

  recover({ frameworkId, agentId, resources, filters, allocated }: ResourceRecovery): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined || resources.isEmpty) return;
    const released = this.books.holdings.release(agent, frameworkId, {
      allocated: resources,
      wasUsed: allocated,
    });
    if (filters === undefined) {
      // Mesos lets these wait for the batch. They are free because a task has ended: the sooner the next one gets them, the better.
      this.engine.gather(released ? [agent] : []);
      return;
    }
    if (released) this.engine.reconsiderLater(agent);
    const ms = refusalMs(filters);
    const members = this.books.frameworks.get(frameworkId)?.members;
    if (ms === 0 || members === undefined) return;
    const now = this.options.clock.monotonic();
    forEachRole(resources, (role, part) => {
      const member = members.get(role);
      if (member !== undefined) this.books.refuse(member, agent, { allocated: part, now, ms });
    });
  }

  transition({
    frameworkId,
    agentId,
    resources,
  }: {
    frameworkId: string;
    agentId: string;
    resources: Resources;
  }): void {
    const agent = this.books.agents.get(agentId);
    if (agent !== undefined && !resources.isEmpty) this.books.holdings.use(agent, frameworkId, resources);
  }

  updateAllocation(change: {
    frameworkId: string;
    agentId: string;
    conversions: readonly Conversion[];
  }): void {
    const agent = this.books.agents.get(change.agentId);
    if (agent !== undefined) this.books.convertHeld(agent, change.frameworkId, change.conversions);
  }

  updateAvailable(change: { agentId: string; conversions: readonly Conversion[] }): boolean {
    const agent = this.books.agents.get(change.agentId);
    if (agent === undefined || !this.books.convertFree(agent, change.conversions)) return false;
    this.engine.reconsider(agent);
    return true;
  }

  suppress(frameworkId: string, roles: readonly string[]): void {
    const state = this.books.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of roles.length === 0 ? state.roles : roles) {
      if (state.roles.has(role)) state.suppressed.add(role);
    }
    this.books.updateWants(state);
  }

  revive(frameworkId: string, roles: readonly string[]): void {
    const state = this.books.frameworks.get(frameworkId);
    if (state === undefined) return;
    for (const role of roles.length === 0 ? state.roles : roles) {
      this.books.forgetRefusals(state, role);
      state.suppressed.delete(role);
    }
    this.maintenance.forgetRefusals(frameworkId);
    this.books.updateWants(state);
    this.engine.reconsiderFramework(state);
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    for (const [role, weight] of weights) this.books.roles.sorter.setWeight(role, weight);
  }

  updateQuota(role: string, quota: RoleQuota): void {
    this.books.metrics.forgetQuota(role);
    this.books.tree.setQuota(role, quota);
    this.books.metrics.showQuota(role, quota);
  }

  updateUnavailability(agentId: string, unavailability: Unavailability | undefined): void {
    const agent = this.books.agents.get(agentId);
    if (agent === undefined) return;
    this.maintenance.schedule(agent, unavailability);
    this.engine.reconsider(agent);
  }

  updateInverseOffer(answer: {
    agentId: string;
    frameworkId: string;
    status?: InverseOfferStatus | undefined;
    filters?: Filters | undefined;
  }): void {
    const agent = this.books.agents.get(answer.agentId);
    if (agent === undefined) return;
    const { frameworkId, status, filters } = answer;
    this.maintenance.answered(agent, frameworkId, { status, filters, now: this.options.clock.monotonic() });
  }

  inverseOfferStatuses(): ReadonlyMap<string, ReadonlyMap<string, InverseOfferStatus>> {
    return this.maintenance.statuses();
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.engine.whitelist = hostnames;
    this.engine.reconsiderAllLater();
  }

  pause(): void {
    this.engine.holdOff.pause();
  }

  resume(): void {
    this.engine.holdOff.resume();
  }

  recoverCluster({
    expectedAgents,
    quotas,
  }: {
    expectedAgents: number;
    quotas: ReadonlyMap<string, RoleQuota>;
  }): void {
    for (const [role, quota] of quotas) this.updateQuota(role, quota);
    if (quotas.size > 0) this.engine.holdOff.awaitAgents(expectedAgents);
  }

  validateOfferConstraints(constraints: OfferConstraints): string | undefined {
    return this.constraints.validate(constraints);
  }

  excludedByConstraints(frameworkId: string, role: string): readonly string[] {
    const constraints = this.books.frameworks.get(frameworkId)?.constraints;
    if (constraints === undefined) return [];
    const excluded: string[] = [];
    for (const { id, info } of this.books.agents.values())
      if (constraints.excludes(role, info)) excluded.push(id);
    return excluded;
  }

  explain(frameworkId: string, role?: string): FrameworkExplanation | undefined {
    const { books, engine, maintenance } = this;
    const framework = books.frameworks.get(frameworkId);
    if (framework === undefined) return undefined;
    const explainer = new Explainer({
      books,
      judge: engine.judge,
      now: this.options.clock.monotonic(),
      isPaused: engine.holdOff.isPaused,
      isWhitelisted: (agent) => engine.isWhitelisted(agent),
      isInMaintenance: (agent) => maintenance.isScheduled(agent),
    });
    return explainer.explain(framework, role);
  }
}

const NO_QUOTA: RoleQuota = { guarantees: new Map(), limits: new Map() };
