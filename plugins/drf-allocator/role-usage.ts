import type { Resources } from "../../sdk/resources/index.js";
import { ancestorsOf } from "../../sdk/roles/index.js";
import { change, type Measure, type Milli, type ScalarNames } from "./measure.js";

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
  private readonly consumed = new Map<string, Milli>();
  private readonly paths = new Map<string, readonly string[]>();

  constructor(
    private readonly names: ScalarNames,
    private readonly observer: RoleUsageObserver,
  ) {}

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
      else if (this.known.delete(one)) {
        this.consumed.delete(one);
        this.paths.delete(one);
        this.observer.role(one, false);
      }
    }
  }

  /** The reservations of an agent that has come. */
  reserve(total: Resources): void {
    for (const [role, reserved] of total.reservations()) {
      this.use(role);
      this.change(role, this.names.milliOf(reserved.quantities()), 1);
    }
  }

  /** The reservations of an agent that goes. */
  unreserve(total: Resources): void {
    for (const [role, reserved] of total.reservations()) {
      this.change(role, this.names.milliOf(reserved.quantities()), -1);
      this.unuse(role);
    }
  }

  hold(role: string, { consumed }: Measure): void {
    this.change(role, consumed, 1);
  }

  release(role: string, { consumed }: Measure): void {
    this.change(role, consumed, -1);
  }

  /** Thousandths. */
  consumption(role: string, resource: string): number {
    return this.consumed.get(role)?.[this.names.numberOf(resource)] ?? 0;
  }

  private change(role: string, by: Readonly<Milli>, sign: 1 | -1): void {
    for (const path of this.pathOf(role)) {
      let milli = this.consumed.get(path);
      if (milli === undefined) {
        milli = [];
        this.consumed.set(path, milli);
      }
      const before = milli.slice();
      change(milli, by, sign);
      for (let number = 0; number < milli.length; number++) {
        const any = milli[number] !== 0;
        if (any !== ((before[number] ?? 0) !== 0)) {
          this.observer.consumption(path, this.names.names[number]!, any);
        }
      }
    }
  }

  /** The role, the roles above it, and the root. */
  private pathOf(role: string): readonly string[] {
    let path = this.paths.get(role);
    if (path === undefined) {
      path = [ROOT, role, ...ancestorsOf(role)];
      this.paths.set(role, path);
    }
    return path;
  }
}
