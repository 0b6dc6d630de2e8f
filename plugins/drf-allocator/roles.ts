import { type ResourceKind, Resources } from "../../sdk/resources/index.js";
import { forEachRole } from "./accounts/for-each-role.js";
import type { Measure, ScalarNames } from "./accounts/measure.js";
import type { RoleNode, RoleTree } from "./accounts/role-tree.js";
import { type AgentState, bundleOf, type OfferedBundle } from "./agent-state.js";
import type { Filter } from "./filters/offer-filters.js";
import type { FrameworkState } from "./framework-state.js";
import type { Seat, Sorter } from "./sorter/sorter.js";

/** A role that frameworks are in. */
export class Role {
  readonly members = new Map<string, Member>();
  /** How many members want offers. */
  wanting = 0;
  readonly seat: Seat;

  constructor(
    readonly name: string,
    readonly node: RoleNode,
    sorters: {
      /** Among the roles. */
      readonly roles: Sorter<Role>;
      /** Within the role. */
      readonly frameworks: Sorter<Member>;
    },
  ) {
    this.sorter = sorters.frameworks;
    this.seat = sorters.roles.add(name, this);
  }

  /** Whose turn it is within the role. */
  readonly sorter: Sorter<Member>;
  private readonly plainKinds = new Map<string, ResourceKind>();
  private lastBundle: OfferedBundle | undefined;

  /** The bundle of an offer of plain resources to the role: the last one again where it is the same, for agents are mostly alike. */
  bundle(plain: Resources, names: ScalarNames): OfferedBundle {
    if (this.lastBundle === undefined || !areSame(this.lastBundle.plain, plain)) {
      this.lastBundle = bundleOf(plain, this, names);
    }
    return this.lastBundle;
  }

  /** Unallocated resources allocated to the role. The kinds that all agents have are made once for a role. */
  allocate(resources: Resources): Resources {
    if (!resources.entries.every(({ kind }) => kind.plain)) return resources.allocate(this.name);
    return Resources.fromNormalised(
      resources.entries.map((entry) => entry.withKind(this.allocatedKind(entry.kind))),
    );
  }

  private allocatedKind(kind: ResourceKind): ResourceKind {
    const known = this.plainKinds.get(kind.name);
    if (known?.type === kind.type) return known;
    const allocated = kind.allocated(this.name);
    this.plainKinds.set(kind.name, allocated);
    return allocated;
  }
}

/** A framework in a role: it is subscribed to it, or holds something in it. */
export class Member {
  readonly seat: Seat;
  /** What it does not want to be offered again for a while. */
  readonly filters = new Map<AgentState, Filter>();
  subscribed = false;
  /** Whether offers may go to it. */
  wants = false;
  /** All it holds in the role, ports counted like thousandths of scalars: zero exactly when it holds nothing. */
  held = 0;

  constructor(
    readonly role: Role,
    readonly framework: FrameworkState,
  ) {
    this.seat = role.sorter.add(framework.id, this);
    role.members.set(framework.id, this);
    framework.members.set(role.name, this);
  }
}

export interface RolesOptions {
  readonly names: ScalarNames;
  readonly tree: RoleTree;
  readonly sorter: Sorter<Role>;
  readonly frameworkSorter: () => Sorter<Member>;
  readonly observer: {
    /** Frameworks are in a role from now on, or no longer. */
    occupied(role: string, occupied: boolean): void;
  };
  /** A framework is in a role no more. */
  readonly left: (member: Member) => void;
}

/** Who is in which role, who wants offers there, and what everyone holds. */
export class Roles {
  /** In how many roles somebody wants offers. */
  wanting = 0;
  private readonly roles = new Map<string, Role>();

  constructor(private readonly options: RolesOptions) {}

  /** Whose turn it is among the roles in which somebody wants offers. */
  get sorter(): Sorter<Role> {
    return this.options.sorter;
  }

  find(role: string): Role | undefined {
    return this.roles.get(role);
  }

  subscribe(framework: FrameworkState, role: string): void {
    this.member(framework, role).subscribed = true;
  }

  unsubscribe(framework: FrameworkState, role: string): void {
    const member = framework.members.get(role);
    if (member === undefined) return;
    this.setWants(member, false);
    member.subscribed = false;
    this.leaveIfIdle(member);
  }

  /** Only for roles it is subscribed to. A role takes part in the sort while somebody in it wants offers. */
  setWants(member: Member, wants: boolean): void {
    if (member.wants === wants) return;
    const { role } = member;
    member.wants = wants;
    member.seat.setActive(wants);
    const before = role.wanting > 0;
    role.wanting += wants ? 1 : -1;
    const after = role.wanting > 0;
    if (before === after) return;
    role.seat.setActive(after);
    this.wanting += after ? 1 : -1;
  }

  /** @param held.known the measure of `allocated`, where the caller has it */
  hold(framework: FrameworkState, agent: AgentState, held: { allocated: Resources; known?: Measure }): void {
    forEachRole(held.allocated, (name, part) => {
      this.holdAs(this.member(framework, name), agent, this.measureOf(part, held));
    });
  }

  holdAs(member: Member, agent: AgentState, measure: Measure): void {
    const holding = { agentId: agent.id, measure };
    member.held += measure.size;
    member.role.seat.allocated(holding);
    member.seat.allocated(holding);
    this.options.tree.hold(member.role.node, measure.consumed, 1);
  }

  /** Only what was held. */
  release(
    framework: FrameworkState,
    agent: AgentState,
    held: { allocated: Resources; known?: Measure },
  ): void {
    forEachRole(held.allocated, (name, part) => {
      const member = framework.members.get(name);
      if (member === undefined) return;
      const measure = this.measureOf(part, held);
      const holding = { agentId: agent.id, measure };
      member.held -= measure.size;
      member.seat.unallocated(holding);
      member.role.seat.unallocated(holding);
      this.options.tree.hold(member.role.node, measure.consumed, -1);
      this.leaveIfIdle(member);
    });
  }

  private measureOf(
    part: Resources,
    { allocated, known }: { allocated: Resources; known?: Measure },
  ): Measure {
    return known !== undefined && part === allocated ? known : this.options.names.measure(part);
  }

  private member(framework: FrameworkState, name: string): Member {
    const known = framework.members.get(name);
    if (known !== undefined) return known;
    const role = this.roles.get(name) ?? this.addRole(name);
    return new Member(role, framework);
  }

  private addRole(name: string): Role {
    const { tree, sorter, frameworkSorter, observer } = this.options;
    const role = new Role(name, tree.use(name), { roles: sorter, frameworks: frameworkSorter() });
    this.roles.set(name, role);
    observer.occupied(name, true);
    return role;
  }

  private leaveIfIdle(member: Member): void {
    const { role, framework } = member;
    if (member.subscribed || member.held > 0) return;
    role.members.delete(framework.id);
    framework.members.delete(role.name);
    member.seat.remove();
    this.options.left(member);
    if (role.members.size > 0) return;
    this.roles.delete(role.name);
    role.seat.remove();
    this.options.observer.occupied(role.name, false);
    this.options.tree.release(role.node);
  }
}

/** Whether two bundles have the same entries in the same order, which is quicker to tell than whether they are equal. */
function areSame(left: Resources, right: Resources): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (let i = 0; i < left.size; i++) if (!left.entries[i]!.sameAs(right.entries[i]!)) return false;
  return true;
}
