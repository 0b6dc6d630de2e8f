import {
  type AgentInfo,
  type AgentInfo_Capability,
  AgentInfo_Capability_Type as Capability,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AllocatorAgent } from "../../sdk/contracts/allocator.js";
import { Resources } from "../../sdk/resources/index.js";
import type { Measure } from "./accounts/measure.js";

/** What one framework holds on one agent. */
export interface Holding {
  /** Offered or in use; allocated resources. */
  readonly resources: Resources;
  /** Of all of `resources`, where it is known. */
  readonly measure: Measure | undefined;
}

/** One agent's resources: what it has, who holds what of it, and what is free. */
export class AgentState {
  readonly id: string;
  active = true;
  /** It has been removed. */
  gone = false;
  multiRole = false;
  hierarchicalRoles = false;
  hasGpus = false;
  /** Of its fault domain; undefined without one. */
  region: string | undefined;
  /** Framework id -> the part of what it holds that is in use. */
  readonly inUse = new Map<string, Resources>();
  private currentInfo: AgentInfo;
  private currentTotal = Resources.empty;
  private readonly held = new Map<string, Holding>();
  private free = Resources.empty;
  /** More is held of something than there is, as happens when an agent has shrunk. */
  private overcommitted = false;
  /** Nothing of the total is reserved, revocable, shared or a special disk. */
  private plain = true;
  private lastWhole: Resources | undefined;

  constructor({ id, info, capabilities, total }: AllocatorAgent) {
    this.id = id;
    this.currentInfo = info;
    this.region = regionOf(info);
    this.capabilities = capabilities;
    this.total = total;
  }

  get info(): AgentInfo {
    return this.currentInfo;
  }

  set info(info: AgentInfo) {
    this.currentInfo = info;
    this.region = regionOf(info);
  }

  set capabilities(capabilities: readonly AgentInfo_Capability[]) {
    this.multiRole = has(capabilities, Capability.MULTI_ROLE);
    this.hierarchicalRoles = has(capabilities, Capability.HIERARCHICAL_ROLE);
  }

  get total(): Resources {
    return this.currentTotal;
  }

  set total(total: Resources) {
    this.currentTotal = total;
    this.hasGpus = total.milli("gpus") > 0;
    this.plain = total.entries.every(({ kind }) => kind.plain);
    this.lastWhole = undefined;
    this.recount();
  }

  /** Whether all that it has is unreserved, non-revocable, and of no special kind: then nothing has to be looked at piece by piece. */
  get isPlain(): boolean {
    return this.plain;
  }

  get holders(): ReadonlyMap<string, Holding> {
    return this.held;
  }

  heldBy(frameworkId: string): Resources {
    return this.held.get(frameworkId)?.resources ?? Resources.empty;
  }

  /** Unallocated resources that nobody holds, and the shared ones; nothing of a resource of which more is held than there is. */
  get available(): Resources {
    return this.free;
  }

  /** The same resources allocated to a role. A whole agent that is offered in the same role again is the same bundle again. */
  allocate(resources: Resources, role: string): Resources {
    if (resources !== this.currentTotal) return resources.allocate(role);
    if (this.lastWhole?.entries[0]?.kind.allocationRole !== role) this.lastWhole = resources.allocate(role);
    return this.lastWhole;
  }

  /**
   * @param allocated with the role they are allocated to
   * @param plain the same, allocated to no role
   */
  hold(
    frameworkId: string,
    allocated: Resources,
    { plain, measure }: { plain: Resources; measure: Measure },
  ): void {
    const before = this.held.get(frameworkId);
    this.held.set(
      frameworkId,
      before === undefined
        ? { resources: allocated, measure }
        : { resources: before.resources.add(allocated), measure: undefined },
    );
    const taken = this.plain ? plain : plain.nonShared();
    if (taken === this.free) this.free = Resources.empty;
    else if (this.overcommitted || !this.free.contains(taken)) this.recount();
    else this.free = this.free.subtract(taken);
  }

  /** Takes back what the framework holds of it, and returns that. */
  release(frameworkId: string, allocated: Resources): Holding | undefined {
    const before = this.held.get(frameworkId);
    if (before === undefined) return undefined;
    const after = before.resources === allocated ? Resources.empty : before.resources.subtract(allocated);
    if (after === before.resources) return undefined;
    if (after.isEmpty) this.held.delete(frameworkId);
    else this.held.set(frameworkId, { resources: after, measure: undefined });
    const released = after.isEmpty
      ? before
      : {
          resources: before.resources.contains(allocated) ? allocated : before.resources.subtract(after),
          measure: undefined,
        };
    if (this.held.size === 0) {
      this.free = this.currentTotal;
      this.overcommitted = false;
    } else if (this.overcommitted) this.recount();
    else this.free = this.free.add(released.resources.unallocate().nonShared());
    return released;
  }

  private recount(): void {
    if (this.held.size === 0) {
      this.free = this.currentTotal;
      this.overcommitted = false;
      return;
    }
    const held = Resources.sum(
      [...this.held.values()].map(({ resources }) => resources.unallocate()),
    ).nonShared();
    const divisible = this.currentTotal.nonShared();
    this.overcommitted = !divisible.contains(held);
    this.free = divisible.subtract(held).add(this.currentTotal.shared());
  }
}

const has = (capabilities: readonly AgentInfo_Capability[], type: Capability): boolean =>
  capabilities.some((capability) => capability.type === type);

const regionOf = (info: AgentInfo): string | undefined => info.domain?.fault_domain?.region?.name;
