import {
  type AgentInfo,
  type AgentInfo_Capability,
  AgentInfo_Capability_Type as Capability,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AllocatorAgent } from "../../sdk/contracts/allocator.js";
import { Resources } from "../../sdk/resources/index.js";

/** One agent's resources: what it has, who holds what of it, and what is free. */
export class AgentState {
  readonly id: string;
  active = true;
  readonly multiRole: boolean;
  readonly hierarchicalRoles: boolean;
  hasGpus: boolean;
  /** Of its fault domain; undefined without one. */
  region: string | undefined;
  private currentInfo: AgentInfo;
  private currentTotal: Resources;
  private readonly held = new Map<string, Resources>();
  private free: Resources;
  /** More is held of something than there is, as happens when an agent has shrunk. */
  private overcommitted = false;

  constructor(agent: AllocatorAgent) {
    this.id = agent.id;
    this.currentInfo = agent.info;
    this.currentTotal = agent.total;
    this.free = agent.total;
    this.hasGpus = hasGpus(agent.total);
    this.region = regionOf(agent.info);
    this.multiRole = has(agent.capabilities, Capability.MULTI_ROLE);
    this.hierarchicalRoles = has(agent.capabilities, Capability.HIERARCHICAL_ROLE);
  }

  get info(): AgentInfo {
    return this.currentInfo;
  }

  set info(info: AgentInfo) {
    this.currentInfo = info;
    this.region = regionOf(info);
  }

  get total(): Resources {
    return this.currentTotal;
  }

  set total(total: Resources) {
    this.currentTotal = total;
    this.hasGpus = hasGpus(total);
    this.recount();
  }

  /** Framework id -> what it holds here, offered or in use; allocated resources. */
  get holders(): ReadonlyMap<string, Resources> {
    return this.held;
  }

  /** Unallocated resources that nobody holds, and the shared ones; nothing of a resource of which more is held than there is. */
  get available(): Resources {
    return this.free;
  }

  /**
   * @param allocated with the role they are allocated to
   * @param plain the same, allocated to no role
   */
  hold(frameworkId: string, allocated: Resources, plain: Resources): void {
    const before = this.held.get(frameworkId);
    this.held.set(frameworkId, before === undefined ? allocated : before.add(allocated));
    const taken = plain.nonShared();
    if (taken === this.free) this.free = Resources.empty;
    else if (this.overcommitted || !this.free.contains(taken)) this.recount();
    else this.free = this.free.subtract(taken);
  }

  /** Takes back what the framework holds of it, and returns that. */
  release(frameworkId: string, allocated: Resources): Resources {
    const before = this.held.get(frameworkId);
    if (before === undefined) return Resources.empty;
    const after = before === allocated ? Resources.empty : before.subtract(allocated);
    const released = after.isEmpty ? before : before.contains(allocated) ? allocated : before.subtract(after);
    if (after.isEmpty) this.held.delete(frameworkId);
    else this.held.set(frameworkId, after);
    if (this.overcommitted) this.recount();
    else this.free = this.free.add(released.unallocate().nonShared());
    return released;
  }

  private recount(): void {
    const held = Resources.sum(this.held.values()).unallocate().nonShared();
    const divisible = this.currentTotal.nonShared();
    this.overcommitted = !divisible.contains(held);
    this.free = divisible.subtract(held).add(this.currentTotal.shared());
  }
}

const has = (capabilities: readonly AgentInfo_Capability[], type: Capability): boolean =>
  capabilities.some((capability) => capability.type === type);

const hasGpus = (total: Resources): boolean => total.milli("gpus") > 0;

const regionOf = (info: AgentInfo): string | undefined => info.domain?.fault_domain?.region?.name;
