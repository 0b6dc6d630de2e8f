import type { RoleQuota } from "../../../sdk/contracts/allocator.js";
import type { Resources } from "../../../sdk/resources/index.js";
import { addAt, type Milli, type ScalarNames } from "./measure.js";

/** A role, or a path above roles: what it and all below it consume. Figures are thousandths by number of the scalar. */
export class RoleNode {
  /** How many uses keep it known: frameworks in it, reservations for it, a quota, and nodes below it. */
  uses = 0;
  readonly reserved: Milli = [];
  /** Unreserved, non-revocable, offered or in use. */
  readonly held: Milli = [];
  /** The part of `held` that is in use. */
  readonly allocated: Milli = [];
  quota: Quota | undefined;

  constructor(
    readonly path: string,
    readonly parent: RoleNode | undefined,
  ) {}

  /** What counts against quota. */
  consumed(number: number): number {
    return (this.reserved[number] ?? 0) + (this.held[number] ?? 0);
  }
}

/** The quota of a role, by number of the scalar. */
export interface Quota {
  readonly guarantees: Milli;
  /** Undefined: no limit. */
  readonly limits: (number | undefined)[];
  readonly limited: boolean;
  /** What the role still misses of its guarantees. */
  readonly missing: Milli;
}

export interface RoleTreeObserver {
  /** A role is known from now on, or no longer. */
  role(role: string, known: boolean): void;
  /** A role has begun to consume a resource, or consumes none of it any more. */
  consumption(role: string, resource: string, any: boolean): void;
}

/**
 * Which roles there are, and what each consumes with the roles below it: the reservations for it, and what is held of unreserved,
 * non-revocable scalars. A role is known while a framework is in it, something is reserved for it or it has a quota, and so are the
 * roles above it. Quotas belong to top-level roles and concern all roles below.
 */
export class RoleTree {
  readonly root = new RoleNode("", undefined);
  /** What all guarantees together still miss: as much has to stay free. */
  readonly missing: Milli = [];
  private readonly nodes = new Map<string, RoleNode>();
  private guarantees = 0;
  private quotaCount = 0;
  /** Grows when a role's consumption shrinks or its quota changes: somebody may get what was withheld. */
  relaxations = 0;

  constructor(
    private readonly names: ScalarNames,
    private readonly observer: RoleTreeObserver,
  ) {}

  get hasQuotas(): boolean {
    return this.quotaCount > 0;
  }

  /** Whether any role has a guarantee. */
  get hasGuarantees(): boolean {
    return this.guarantees > 0;
  }

  /** @param role empty: the whole tree */
  find(role: string): RoleNode | undefined {
    return role === "" ? this.root : this.nodes.get(role);
  }

  /** The node of a role, which stays known until `release`. */
  use(role: string): RoleNode {
    const node = this.nodeOf(role);
    for (let one: RoleNode | undefined = node; one !== undefined; one = one.parent) one.uses++;
    return node;
  }

  release(node: RoleNode): void {
    for (let one: RoleNode = node; one.parent !== undefined; one = one.parent) {
      if (--one.uses > 0 || !this.nodes.delete(one.path)) continue;
      for (let number = 0; number < this.names.names.length; number++) {
        if (consumedAny(one, number)) this.observer.consumption(one.path, this.names.names[number]!, false);
      }
      this.observer.role(one.path, false);
    }
  }

  /** The role whose quota a role is subject to: itself or its top-level role; undefined where there is none. */
  quotaOwner(node: RoleNode): RoleNode | undefined {
    if (this.quotaCount === 0) return undefined;
    let owner = node;
    while (owner.parent !== undefined && owner.parent !== this.root) owner = owner.parent;
    return owner.quota === undefined ? undefined : owner;
  }

  *quotas(): Iterable<{ readonly owner: RoleNode; readonly quota: Quota }> {
    for (const owner of this.nodes.values())
      if (owner.quota !== undefined) yield { owner, quota: owner.quota };
  }

  setQuota(role: string, { guarantees, limits }: RoleQuota): void {
    const node = this.use(role);
    if (node.quota !== undefined) this.dropQuota(node, node.quota);
    this.relaxations++;
    if (guarantees.size === 0 && limits.size === 0) {
      this.release(node);
      return;
    }
    const capped: (number | undefined)[] = [];
    for (const [name, milli] of limits) capped[this.names.numberOf(name)] = milli;
    node.quota = {
      guarantees: this.names.milliOf(guarantees),
      limits: capped,
      limited: limits.size > 0,
      missing: [],
    };
    this.quotaCount++;
    if (node.quota.guarantees.length > 0) this.guarantees++;
    this.updateMissing(node, node.quota);
  }

  /** The reservations of an agent that comes, or (`sign` -1) goes. */
  reserve(total: Resources, sign: 1 | -1): void {
    if (!total.entries.some(({ kind }) => kind.reserved)) return;
    for (const [role, reserved] of total.reservations()) {
      const node = sign > 0 ? this.use(role) : this.nodes.get(role);
      if (node === undefined) continue;
      this.change(node, "reserved", { by: this.names.milliOf(reserved.quantities()), sign });
      if (sign < 0) this.release(node);
    }
  }

  /** @param consumed unreserved, non-revocable scalars */
  hold(node: RoleNode, consumed: Readonly<Milli>, sign: 1 | -1): void {
    this.change(node, "held", { by: consumed, sign });
  }

  /** What was held is in use from now on, or (`sign` -1) no longer. */
  allocate(node: RoleNode, consumed: Readonly<Milli>, sign: 1 | -1): void {
    this.change(node, "allocated", { by: consumed, sign });
  }

  private change(
    node: RoleNode,
    what: "reserved" | "held" | "allocated",
    { by, sign }: { by: Readonly<Milli>; sign: 1 | -1 },
  ): void {
    if (sign < 0) this.relaxations++;
    for (let one: RoleNode | undefined = node; one !== undefined; one = one.parent) {
      const figures = one[what];
      for (let number = 0; number < by.length; number++) {
        if (by[number] === 0) continue;
        const before = consumedAny(one, number);
        addAt(figures, number, sign * by[number]!);
        if (before !== consumedAny(one, number)) {
          this.observer.consumption(one.path, this.names.names[number]!, !before);
        }
      }
      if (one.quota !== undefined && what !== "allocated") this.updateMissing(one, one.quota);
    }
  }

  private updateMissing(owner: RoleNode, { guarantees, missing }: Quota): void {
    for (let number = 0; number < guarantees.length; number++) {
      const now = Math.max(0, guarantees[number]! - owner.consumed(number));
      const before = missing[number] ?? 0;
      if (now === before) continue;
      addAt(missing, number, now - before);
      addAt(this.missing, number, now - before);
    }
  }

  private dropQuota(node: RoleNode, { guarantees, missing }: Quota): void {
    for (let number = 0; number < missing.length; number++) addAt(this.missing, number, -missing[number]!);
    this.quotaCount--;
    if (guarantees.length > 0) this.guarantees--;
    node.quota = undefined;
    this.release(node);
  }

  private nodeOf(path: string): RoleNode {
    const known = this.nodes.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf("/");
    const node = new RoleNode(path, slash < 0 ? this.root : this.nodeOf(path.slice(0, slash)));
    this.nodes.set(path, node);
    this.observer.role(path, true);
    return node;
  }
}

/** Whether metrics show anything of the resource. */
function consumedAny(node: RoleNode, number: number): boolean {
  return (node.reserved[number] ?? 0) !== 0 || (node.held[number] ?? 0) !== 0;
}
