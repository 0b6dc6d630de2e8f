import type { FrameworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { FrameworkInfo_Capability_Type as Capability } from "../../proto/gen/mesos/v1/mesos.js";
import type { AllocatorFramework } from "../../sdk/contracts/allocator.js";
import { type Quantities, toMilli } from "../../sdk/resources/index.js";
import type { OfferConstraintsFilter } from "./constraints/offer-constraints.js";
import type { Member } from "./roles.js";

/** One framework as the allocator sees it. */
export class FrameworkState {
  readonly id: string;
  active: boolean;
  roles: ReadonlySet<string> = new Set();
  readonly suppressed = new Set<string>();
  /** Roles that have an own least offer, each as alternatives. */
  minAllocatable: ReadonlyMap<string, readonly Quantities[]> = new Map();
  /** Undefined: none. */
  constraints: OfferConstraintsFilter | undefined;
  /** The roles it is in, by name: those it is subscribed to, and those in which it holds something. */
  readonly members = new Map<string, Member>();
  multiRole = false;
  gpus = false;
  shared = false;
  revocable = false;
  refinedReservations = false;
  regionAware = false;

  constructor(framework: AllocatorFramework, constraints: OfferConstraintsFilter | undefined) {
    this.id = framework.id;
    this.active = framework.active;
    this.update(framework, constraints);
  }

  /** Takes over everything but whether it is active. */
  update(framework: AllocatorFramework, constraints: OfferConstraintsFilter | undefined): void {
    const { info } = framework;
    const can = (type: Capability): boolean =>
      info.capabilities.some((capability) => capability.type === type);
    this.multiRole = can(Capability.MULTI_ROLE);
    this.gpus = can(Capability.GPU_RESOURCES);
    this.shared = can(Capability.SHARED_RESOURCES);
    this.revocable = can(Capability.REVOCABLE_RESOURCES);
    this.refinedReservations = can(Capability.RESERVATION_REFINEMENT);
    this.regionAware = can(Capability.REGION_AWARE);
    this.roles = new Set(this.multiRole ? info.roles : [info.role ?? "*"]);
    this.suppressed.clear();
    for (const role of framework.suppressedRoles) if (this.roles.has(role)) this.suppressed.add(role);
    this.minAllocatable = minAllocatableOf(info);
    this.constraints = constraints;
  }

  /** Whether offers may go to it in this role. */
  wants(role: string): boolean {
    return this.active && this.roles.has(role) && !this.suppressed.has(role);
  }
}

function minAllocatableOf(info: FrameworkInfo): ReadonlyMap<string, readonly Quantities[]> {
  const byRole = new Map<string, readonly Quantities[]>();
  for (const [role, filters] of Object.entries(info.offer_filters)) {
    const least = filters.min_allocatable_resources;
    if (least === undefined) continue;
    byRole.set(
      role,
      least.quantities.map(
        ({ quantities }) =>
          new Map(Object.entries(quantities).map(([name, scalar]) => [name, toMilli(scalar.value ?? 0)])),
      ),
    );
  }
  return byRole;
}
