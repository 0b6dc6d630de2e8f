import { ConstraintsReader } from "../../../../plugins/drf-allocator/constraints/offer-constraints.js";
import {
  type InverseOfferStatus,
  InverseOfferStatus_Status,
} from "../../../../proto/gen/mesos/v1/allocator/allocator.js";
import type { Unavailability } from "../../../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type {
  Allocator,
  AllocatorAgent,
  AllocatorCallbacks,
  AllocatorFramework,
  ResourceRecovery,
  RoleQuota,
} from "../../../../sdk/contracts/allocator.js";
import { Resources } from "../../../../sdk/resources/index.js";

export interface ManualOffer {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  /** Absent: all that is free. */
  readonly resources?: Resources | undefined;
}

/** Offers when a test says so, keeps account of what is free, and notes what the master tells it. */
export class ManualAllocator implements Allocator {
  /** Called with each thing that the master tells the allocator. */
  told: (line: string) => void = () => {};
  readonly frameworks = new Map<string, AllocatorFramework>();
  readonly free = new Map<string, Resources>();
  private readonly totals = new Map<string, Resources>();
  /** What is held of an agent though it has shrunk and has it no more: not free when it comes back. */
  private readonly owed = new Map<string, Resources>();
  private readonly constraints = new ConstraintsReader({ maxMem: 4096, maxProgramSize: 100 });
  private readonly answers = new Map<string, Map<string, InverseOfferStatus>>();
  private callbacks: AllocatorCallbacks | undefined;

  start(callbacks: AllocatorCallbacks): void {
    this.callbacks = callbacks;
  }

  stop(): void {
    this.callbacks = undefined;
  }

  /** Makes one offer. Throws when that much is not free. */
  offer({ frameworkId, role, agentId, resources }: ManualOffer): void {
    const free = this.free.get(agentId) ?? Resources.empty;
    const offered = resources ?? free;
    if (!free.contains(offered)) throw new Error(`${offered} is not free on ${agentId}: ${free} is`);
    this.free.set(agentId, free.subtract(offered));
    const agents = new Map([[agentId, offered.allocate(role)]]);
    this.callbacks?.offer({ frameworkId, role, agents });
  }

  addFramework(framework: AllocatorFramework): void {
    this.frameworks.set(framework.id, framework);
    this.told(`add framework ${framework.id} ${describe(framework)}`);
  }

  updateFramework(framework: AllocatorFramework): void {
    this.frameworks.set(framework.id, framework);
    this.told(`update framework ${framework.id} ${describe(framework)}`);
  }

  removeFramework(frameworkId: string): void {
    this.frameworks.delete(frameworkId);
    this.told(`remove framework ${frameworkId}`);
  }

  activateFramework(frameworkId: string): void {
    this.told(`activate framework ${frameworkId}`);
  }

  deactivateFramework(frameworkId: string): void {
    this.told(`deactivate framework ${frameworkId}`);
  }

  addAgent(agent: AllocatorAgent): void {
    const used = Resources.sum(agent.used.values());
    this.totals.set(agent.id, agent.total);
    this.free.set(agent.id, agent.total.subtract(used.unallocate()));
    const start = agent.unavailability?.start?.nanoseconds;
    const window = start === undefined ? "" : ` unavailable from ${start}`;
    if (start !== undefined) this.answers.set(agent.id, new Map());
    this.told(`add agent ${agent.id} total=${agent.total} used=${used}${window}`);
  }

  updateAgent(agent: { id: string; total?: Resources }): void {
    const before = this.totals.get(agent.id);
    const free = this.free.get(agent.id);
    if (before !== undefined && free !== undefined && agent.total !== undefined) {
      const gone = before.subtract(agent.total);
      this.owed.set(agent.id, this.owedBy(agent.id).add(gone.subtract(free)));
      this.free.set(agent.id, free.subtract(gone));
      this.totals.set(agent.id, agent.total);
      this.gain(agent.id, agent.total.subtract(before));
    }
    this.told(`update agent ${agent.id} total=${agent.total}`);
  }

  removeAgent(agentId: string): void {
    this.free.delete(agentId);
    this.told(`remove agent ${agentId}`);
  }

  activateAgent(agentId: string): void {
    this.told(`activate agent ${agentId}`);
  }

  deactivateAgent(agentId: string): void {
    this.told(`deactivate agent ${agentId}`);
  }

  recover({ frameworkId, agentId, resources, filters }: ResourceRecovery): void {
    this.gain(agentId, resources.unallocate());
    const filter = filters === undefined ? "" : ` refuse=${filters.refuse_seconds}s`;
    this.told(`recover ${resources} of ${frameworkId} on ${agentId}${filter}`);
  }

  private owedBy(agentId: string): Resources {
    return this.owed.get(agentId) ?? Resources.empty;
  }

  private gain(agentId: string, resources: Resources): void {
    const free = this.free.get(agentId);
    if (free === undefined) return;
    const owed = this.owedBy(agentId);
    this.owed.set(agentId, owed.subtract(resources));
    this.free.set(agentId, free.add(resources.subtract(owed)));
  }

  updateAllocation(change: Parameters<Allocator["updateAllocation"]>[0]): void {
    const { frameworkId, agentId, conversions } = change;
    for (const { consumed, converted } of conversions) {
      // More copies of a shared volume do not make the agent larger.
      if (!consumed.isEmpty) this.convertTotal(agentId, consumed.unallocate(), converted.unallocate());
      this.told(`convert ${consumed} of ${frameworkId} on ${agentId} to ${converted}`);
    }
  }

  updateAvailable({ agentId, conversions }: Parameters<Allocator["updateAvailable"]>[0]): boolean {
    let free = this.free.get(agentId) ?? Resources.empty;
    for (const { consumed, converted } of conversions) {
      if (!free.contains(consumed)) {
        this.told(`cannot convert ${consumed} on ${agentId}: ${free} is free`);
        return false;
      }
      free = free.subtract(consumed).add(converted);
    }
    this.free.set(agentId, free);
    for (const { consumed, converted } of conversions) {
      this.convertTotal(agentId, consumed, converted);
      this.told(`convert free ${consumed} on ${agentId} to ${converted}`);
    }
    return true;
  }

  addResourceProvider(provider: Parameters<Allocator["addResourceProvider"]>[0]): void {
    const { agentId, total } = provider;
    const used = Resources.sum(provider.used.values());
    const free = (this.free.get(agentId) ?? Resources.empty).add(total);
    this.convertTotal(agentId, Resources.empty, total);
    this.free.set(agentId, free.subtract(used.unallocate()));
    const wrong = free.contains(used.unallocate()) ? "" : ` of which only ${free} are free`;
    this.told(`add provider ${total} on ${agentId} used=${used}${wrong}`);
  }

  private convertTotal(agentId: string, consumed: Resources, converted: Resources): void {
    const total = this.totals.get(agentId) ?? Resources.empty;
    this.totals.set(agentId, total.subtract(consumed).add(converted));
  }

  updateQuota(role: string, { guarantees, limits }: RoleQuota): void {
    const text = (quantities: RoleQuota["limits"]) =>
      [...quantities].map(([name, milli]) => `${name}:${milli / 1000}`).join(";");
    this.told(`quota ${role} guarantees=${text(guarantees)} limits=${text(limits)}`);
  }

  recoverCluster(facts: { expectedAgents: number; quotas: ReadonlyMap<string, RoleQuota> }): void {
    if (facts.quotas.size > 0) {
      this.told(`recover ${facts.expectedAgents} agents, quotas of ${[...facts.quotas.keys()].join(",")}`);
    }
  }

  /** Every launch does this, so it is not told. */
  transition(): void {}

  updateUnavailability(agentId: string, unavailability: Unavailability | undefined): void {
    const start = unavailability?.start?.nanoseconds;
    this.told(`agent ${agentId} ${start === undefined ? "stays available" : `unavailable from ${start}`}`);
    if (unavailability === undefined) this.answers.delete(agentId);
    else this.answers.set(agentId, new Map());
  }

  updateInverseOffer(answer: Parameters<Allocator["updateInverseOffer"]>[0]): void {
    const { agentId, frameworkId, status, filters } = answer;
    const said = status === undefined ? "over" : InverseOfferStatus_Status[status.status ?? 0];
    const refuse = filters === undefined ? "" : ` refuse=${filters.refuse_seconds}s`;
    this.told(`inverse offer of ${agentId} to ${frameworkId}: ${said}${refuse}`);
    if (status !== undefined) this.answers.get(agentId)?.set(frameworkId, status);
  }

  inverseOfferStatuses(): ReturnType<Allocator["inverseOfferStatuses"]> {
    return this.answers;
  }

  /** Asks a framework to do without an agent. */
  inverseOffer(frameworkId: string, agentId: string, unavailability: Unavailability): void {
    this.callbacks?.inverseOffer?.({ frameworkId, agents: new Map([[agentId, unavailability]]) });
  }

  updateWhitelist(hostnames: ReadonlySet<string> | undefined): void {
    this.told(`whitelist ${hostnames === undefined ? "all" : [...hostnames].join(",")}`);
  }

  pause(): void {
    this.told("pause");
  }

  resume(): void {
    this.told("resume");
  }

  validateOfferConstraints(constraints: OfferConstraints): string | undefined {
    return this.constraints.validate(constraints);
  }

  excludedByConstraints(): readonly string[] {
    return [];
  }

  explain(): undefined {
    return undefined;
  }

  suppress(frameworkId: string, roles: readonly string[]): void {
    this.told(`suppress ${frameworkId} [${roles.join(",")}]`);
  }

  revive(frameworkId: string, roles: readonly string[]): void {
    this.told(`revive ${frameworkId} [${roles.join(",")}]`);
  }

  updateWeights(weights: ReadonlyMap<string, number>): void {
    this.told(`weights ${[...weights].map(([role, weight]) => `${role}=${weight}`).join(",")}`);
  }
}

function describe({ active, info, suppressedRoles, offerConstraints }: AllocatorFramework): string {
  const roles = info.roles.length > 0 ? info.roles : [info.role ?? "*"];
  const suppressed = suppressedRoles.length > 0 ? ` suppressed=${suppressedRoles.join(",")}` : "";
  const constrained = Object.keys(offerConstraints?.role_constraints ?? {});
  const constraints = constrained.length > 0 ? ` constrained=${constrained.join(",")}` : "";
  return `roles=${roles.join(",")} active=${active}${suppressed}${constraints}`;
}
