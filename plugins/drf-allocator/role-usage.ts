import { Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ResourceEntry, Resources } from "../../sdk/resources/index.js";
import { ancestorsOf } from "../../sdk/roles/index.js";

/** The path of the whole tree, as metrics name it. */
const ROOT = "";

export interface RoleUsageObserver {
  /** A role is known from now on, or no longer. */
  role(role: string, known: boolean): void;
  /** Frameworks are in a role from now on, or no longer. */
  occupied(role: string, occupied: boolean): void;
  /** A role has begun to consume a resource, or consumes none of it any more. */
  consumption(role: string, resource: string, any: boolean): void;
}

/**
 * Which roles there are, and what each consumes, its sub-roles included: the reservations for it, and what is held of
 * unreserved, non-revocable scalars. A role is known while a framework is in it or something is reserved for it, and so are the
 * roles above it.
 */
export class RoleUsage {
  private readonly known = new Map<string, number>();
  private readonly consumed = new Map<string, Map<string, number>>();

  constructor(private readonly observer: RoleUsageObserver) {}

  /** Frameworks are in a role now. */
  occupy(role: string): void {
    this.use(role);
    this.observer.occupied(role, true);
  }

  vacate(role: string): void {
    this.observer.occupied(role, false);
    this.unuse(role);
  }

  private use(role: string): void {
    for (const one of [role, ...ancestorsOf(role)]) {
      const uses = this.known.get(one) ?? 0;
      this.known.set(one, uses + 1);
      if (uses === 0) this.observer.role(one, true);
    }
  }

  private unuse(role: string): void {
    for (const one of [role, ...ancestorsOf(role)]) {
      const uses = (this.known.get(one) ?? 0) - 1;
      if (uses > 0) this.known.set(one, uses);
      else if (this.known.delete(one)) this.observer.role(one, false);
    }
  }

  /** The reservations of an agent that has come. */
  reserve(total: Resources): void {
    for (const entry of total.entries) {
      if (!entry.kind.reserved) continue;
      this.use(entry.kind.reservationRole ?? "");
      this.change(entry.kind.reservationRole ?? "", entry, 1);
    }
  }

  /** The reservations of an agent that goes. */
  unreserve(total: Resources): void {
    for (const entry of total.entries) {
      if (!entry.kind.reserved) continue;
      this.unuse(entry.kind.reservationRole ?? "");
      this.change(entry.kind.reservationRole ?? "", entry, -1);
    }
  }

  hold(role: string, allocated: Resources): void {
    for (const entry of allocated.entries) if (counts(entry)) this.change(role, entry, 1);
  }

  release(role: string, allocated: Resources): void {
    for (const entry of allocated.entries) if (counts(entry)) this.change(role, entry, -1);
  }

  /** Thousandths. */
  consumption(role: string, resource: string): number {
    return this.consumed.get(role)?.get(resource) ?? 0;
  }

  private change(role: string, { kind, milli }: ResourceEntry, sign: 1 | -1): void {
    if (kind.type !== Value_Type.SCALAR) return;
    this.changeOne(ROOT, kind.name, sign * milli);
    this.changeOne(role, kind.name, sign * milli);
    for (const ancestor of role.includes("/") ? ancestorsOf(role) : []) {
      this.changeOne(ancestor, kind.name, sign * milli);
    }
  }

  private changeOne(role: string, resource: string, milli: number): void {
    let amounts = this.consumed.get(role);
    if (amounts === undefined) {
      amounts = new Map();
      this.consumed.set(role, amounts);
    }
    const before = amounts.get(resource) ?? 0;
    const after = before + milli;
    if (after === 0) amounts.delete(resource);
    else amounts.set(resource, after);
    if (amounts.size === 0) this.consumed.delete(role);
    if ((before === 0) !== (after === 0)) this.observer.consumption(role, resource, after !== 0);
  }
}

function counts({ kind }: ResourceEntry): boolean {
  return !kind.reserved && !kind.revocable;
}
