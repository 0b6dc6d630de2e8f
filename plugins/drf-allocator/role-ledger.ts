import type { Resources } from "../../sdk/resources/index.js";
import { forEachRole } from "./for-each-role.js";
import type { ScalarNames } from "./measure.js";
import type { RoleUsage } from "./role-usage.js";
import type { Sorter } from "./sorter/sorter.js";

export interface RoleLedgerOptions {
  readonly names: ScalarNames;
  readonly roleSorter: Sorter;
  readonly frameworkSorter: () => Sorter;
  readonly usage: RoleUsage;
}

interface Member {
  subscribed: boolean;
  wants: boolean;
  /** All it holds in the role, ports counted like thousandths of scalars: zero exactly when it holds nothing. */
  held: number;
}

interface RoleEntry {
  readonly sorter: Sorter;
  readonly members: Map<string, Member>;
  /** How many members want offers. */
  wanting: number;
}

/**
 * Who is in which role, who wants offers there, and what everyone holds: what the sorters need to know. A framework is in a role
 * while it is subscribed to it or holds something in it, and a role exists while a framework is in it.
 */
export class RoleLedger {
  private readonly roles = new Map<string, RoleEntry>();

  constructor(private readonly options: RoleLedgerOptions) {}

  subscribe(frameworkId: string, role: string): void {
    this.member(frameworkId, role).subscribed = true;
  }

  unsubscribe(frameworkId: string, role: string): void {
    const member = this.roles.get(role)?.members.get(frameworkId);
    if (member === undefined) return;
    this.setWants(frameworkId, role, false);
    member.subscribed = false;
    this.leaveIfIdle(frameworkId, role, member);
  }

  /** Only for roles it is subscribed to. A role takes part in the sort while somebody in it wants offers. */
  setWants(frameworkId: string, role: string, wants: boolean): void {
    const entry = this.roles.get(role);
    const member = entry?.members.get(frameworkId);
    if (entry === undefined || member === undefined || member.wants === wants) return;
    member.wants = wants;
    entry.wanting += wants ? 1 : -1;
    entry.sorter.setActive(frameworkId, wants);
    this.options.roleSorter.setActive(role, entry.wanting > 0);
  }

  hold(frameworkId: string, agentId: string, allocated: Resources): void {
    forEachRole(allocated, (role, resources) => {
      const member = this.member(frameworkId, role);
      const measure = this.options.names.measure(resources);
      const holding = { agentId, measure };
      member.held += measure.size;
      this.options.roleSorter.allocated(role, holding);
      this.roles.get(role)?.sorter.allocated(frameworkId, holding);
      this.options.usage.hold(role, measure);
    });
  }

  /** Only what was held. */
  release(frameworkId: string, agentId: string, allocated: Resources): void {
    forEachRole(allocated, (role, resources) => {
      const entry = this.roles.get(role);
      const member = entry?.members.get(frameworkId);
      if (entry === undefined || member === undefined) return;
      const measure = this.options.names.measure(resources);
      const holding = { agentId, measure };
      member.held -= measure.size;
      entry.sorter.unallocated(frameworkId, holding);
      this.options.roleSorter.unallocated(role, holding);
      this.options.usage.release(role, measure);
      this.leaveIfIdle(frameworkId, role, member);
    });
  }

  setWeight(role: string, weight: number): void {
    this.options.roleSorter.setWeight(role, weight);
  }

  /** Roles in which somebody wants offers, next in turn first. */
  order(): readonly string[] {
    return this.options.roleSorter.order();
  }

  /** Frameworks that want offers in the role, next in turn first. */
  orderWithin(role: string): readonly string[] {
    return this.roles.get(role)?.sorter.order() ?? [];
  }

  share(role: string): number | undefined {
    return this.options.roleSorter.share(role);
  }

  private member(frameworkId: string, role: string): Member {
    let entry = this.roles.get(role);
    if (entry === undefined) {
      entry = { sorter: this.options.frameworkSorter(), members: new Map(), wanting: 0 };
      this.roles.set(role, entry);
      this.options.roleSorter.add(role);
      this.options.usage.occupy(role);
    }
    let member = entry.members.get(frameworkId);
    if (member === undefined) {
      member = { subscribed: false, wants: false, held: 0 };
      entry.members.set(frameworkId, member);
      entry.sorter.add(frameworkId);
    }
    return member;
  }

  private leaveIfIdle(frameworkId: string, role: string, member: Member): void {
    const entry = this.roles.get(role);
    if (entry === undefined || member.subscribed || member.held > 0) return;
    entry.members.delete(frameworkId);
    entry.sorter.remove(frameworkId);
    if (entry.members.size > 0) return;
    this.roles.delete(role);
    this.options.roleSorter.remove(role);
    this.options.usage.vacate(role);
  }
}
