import {
  type AgentInfo,
  type AgentInfo_Capability,
  AgentInfo_Capability_Type as Capability,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AllocatorAgent } from "../../sdk/contracts/allocator.js";
import { Resources } from "../../sdk/resources/index.js";
import type { Measure, ScalarNames } from "./accounts/measure.js";
import type { Role } from "./roles.js";

/** A bundle that is held, in the forms in which it is needed. */
export interface Bundle {
  /** Offered or in use; with the role they are allocated to. */
  readonly allocated: Resources;
  /** The same, allocated to no role; undefined where nobody has needed it yet. */
  readonly plain: Resources | undefined;
  readonly measure: Measure | undefined;
}

export interface OfferedBundle extends Bundle {
  /** What it is allocated to. */
  readonly role: Role;
  readonly plain: Resources;
  readonly measure: Measure;
}

/** All that was free, in the hands of one framework. */
interface Outstanding {
  readonly frameworkId: string;
  readonly bundle: OfferedBundle;
}

/**
 * One agent's resources: what it has, who holds what of it, and what is free.
 *
 * A run visits agents in random order, so a visit costs as much as it has to fetch from memory that is not in the cache. Therefore what a
 * visit looks at comes first here, side by side, and a visit to an agent that is offered as it was before follows few references.
 */
export class AgentState {
  active = true;
  /** It has been removed. */
  gone = false;
  /** Nothing of the total is reserved, revocable, shared or a special disk. */
  private plain = true;
  private free = Resources.empty;
  /** What was found last to be as much as an offer has to be, where a framework asks for nothing else. */
  enough: Resources | undefined;
  /** What was offered last. Agents are offered as they are again and again, and then all is there already. */
  private lastOffered: OfferedBundle | undefined;
  /**
   * An offer of all that was free is not among the holdings yet: most come back as they are, and then nothing else has to be touched.
   * `settle` puts it there.
   */
  private outstanding: Outstanding | undefined;
  readonly id: string;
  multiRole = false;
  hierarchicalRoles = false;
  hasGpus = false;
  /** Of its fault domain; undefined without one. */
  region: string | undefined;
  /** Framework id -> the part of what it holds that is in use. */
  readonly inUse = new Map<string, Resources>();
  private currentInfo: AgentInfo;
  private currentTotal = Resources.empty;
  private readonly held = new Map<string, Bundle>();
  /** More is held of something than there is, as happens when an agent has shrunk. */
  private overcommitted = false;

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
    this.settle();
    this.recount();
  }

  /** Whether all that it has is unreserved, non-revocable, and of no special kind: then nothing has to be looked at piece by piece. */
  get isPlain(): boolean {
    return this.plain;
  }

  get holders(): ReadonlyMap<string, Bundle> {
    this.settle();
    return this.held;
  }

  heldBy(frameworkId: string): Resources {
    return this.holders.get(frameworkId)?.allocated ?? Resources.empty;
  }

  /** Unallocated resources that nobody holds, and the shared ones; nothing of a resource of which more is held than there is. */
  get available(): Resources {
    return this.free;
  }

  /** Whether nothing is available. There is only one empty bundle, so it need not be looked into. */
  get isExhausted(): boolean {
    return this.free === Resources.empty;
  }

  /** The bundle of an offer of these unallocated resources to a role; from now on the agent has its form of what is free. */
  bundle(plain: Resources, role: Role, names: ScalarNames): OfferedBundle {
    const last = this.lastOffered;
    if (last?.plain === plain && last.role === role) return last;
    const bundle = this.plain ? role.bundle(plain, names) : bundleOf(plain, role, names);
    if (this.free === plain) this.free = bundle.plain;
    this.lastOffered = bundle;
    return bundle;
  }

  /** Without the role; the same bundle as before where it is known. */
  plainOf(allocated: Resources): Resources {
    return this.lastOffered?.allocated === allocated ? this.lastOffered.plain : allocated.unallocate();
  }

  /** A framework is offered something of what is free. */
  offer(frameworkId: string, bundle: OfferedBundle): void {
    if (bundle.plain === this.free && this.plain && this.outstanding === undefined) {
      this.outstanding = { frameworkId, bundle };
      this.free = Resources.empty;
    } else this.hold(frameworkId, bundle);
  }

  hold(frameworkId: string, bundle: Bundle & { readonly plain: Resources }): void {
    this.settle();
    this.enter(frameworkId, bundle);
    const taken = this.plain ? bundle.plain : bundle.plain.nonShared();
    if (taken === this.free) this.free = Resources.empty;
    else if (this.overcommitted || !this.free.contains(taken)) this.recount();
    else this.free = this.free.subtract(taken);
  }

  /** What is in use here already when the agent comes, by framework. */
  bring(used: ReadonlyMap<string, Bundle>): void {
    for (const [frameworkId, bundle] of used) this.enter(frameworkId, bundle);
    this.recount();
  }

  /** Takes back what the framework holds of it, and returns that. */
  release(frameworkId: string, allocated: Resources): Bundle | undefined {
    if (this.isOutstanding(frameworkId, allocated)) return this.takeBack();
    this.settle();
    const before = this.held.get(frameworkId);
    if (before === undefined) return undefined;
    const after = before.allocated === allocated ? Resources.empty : before.allocated.subtract(allocated);
    if (after === before.allocated) return undefined;
    if (after.isEmpty) this.held.delete(frameworkId);
    else this.held.set(frameworkId, { allocated: after, plain: undefined, measure: undefined });
    const released = after.isEmpty ? before : this.released(before.allocated, after, allocated);
    this.regain(released);
    return released;
  }

  private isOutstanding(frameworkId: string, allocated: Resources): boolean {
    const { outstanding } = this;
    return outstanding?.bundle.allocated === allocated && outstanding.frameworkId === frameworkId;
  }

  private takeBack(): Bundle {
    const { bundle } = this.outstanding!;
    this.outstanding = undefined;
    if (this.isExhausted && !this.overcommitted) this.free = bundle.plain;
    else this.regain(bundle);
    return bundle;
  }

  private settle(): void {
    if (this.outstanding === undefined) return;
    const { frameworkId, bundle } = this.outstanding;
    this.outstanding = undefined;
    this.enter(frameworkId, bundle);
  }

  private enter(frameworkId: string, bundle: Bundle): void {
    const before = this.held.get(frameworkId);
    const allocated = before?.allocated.add(bundle.allocated);
    this.held.set(
      frameworkId,
      allocated === undefined ? bundle : { allocated, plain: undefined, measure: undefined },
    );
  }

  private released(before: Resources, after: Resources, wanted: Resources): Bundle {
    const { lastOffered } = this;
    if (lastOffered?.allocated === wanted && before.contains(wanted)) return lastOffered;
    const allocated = before.contains(wanted) ? wanted : before.subtract(after);
    return { allocated, plain: undefined, measure: undefined };
  }

  private regain(released: Bundle): void {
    if (this.held.size === 0) {
      this.free = this.currentTotal;
      this.overcommitted = false;
    } else if (this.overcommitted) this.recount();
    else {
      const plain = released.plain ?? released.allocated.unallocate();
      this.free = this.free.add(this.plain ? plain : plain.nonShared());
    }
  }

  private recount(): void {
    if (this.held.size === 0) {
      this.free = this.currentTotal;
      this.overcommitted = false;
      return;
    }
    const held = Resources.sum(
      Array.from(this.held.values(), ({ allocated }) => allocated.unallocate()),
    ).nonShared();
    const divisible = this.currentTotal.nonShared();
    this.overcommitted = !divisible.contains(held);
    this.free = divisible.subtract(held).add(this.currentTotal.shared());
  }
}

export function bundleOf(plain: Resources, role: Role, names: ScalarNames): OfferedBundle {
  const allocated = role.allocate(plain);
  return { role, allocated, plain, measure: names.measure(allocated) };
}

const has = (capabilities: readonly AgentInfo_Capability[], type: Capability): boolean =>
  capabilities.some((capability) => capability.type === type);

const regionOf = (info: AgentInfo): string | undefined => info.domain?.fault_domain?.region?.name;
