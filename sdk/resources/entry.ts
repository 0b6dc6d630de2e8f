import {
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  type Resource_ReservationInfo,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { ResourceKind } from "./kind.js";
import {
  addRanges,
  coalesce,
  containsRanges,
  countRanges,
  equalRanges,
  NO_RANGES,
  type Ranges,
  rangeMessages,
  subtractRanges,
} from "./ranges.js";
import { fromMilli, toMilli } from "./scalar.js";
import { addItems, containsItems, equalItems, type Items, NO_ITEMS, subtractItems } from "./sets.js";

export interface Amount {
  readonly milli?: number;
  readonly ranges?: Ranges;
  readonly items?: Items;
  readonly copies?: number;
}

/** One kind of resource and how much of it. Immutable; the amount is never empty inside a `Resources`. */
export class ResourceEntry {
  readonly kind: ResourceKind;
  /** Scalars: thousandths. */
  readonly milli: number;
  /** Ranges: coalesced. */
  readonly ranges: Ranges;
  /** Sets: the items. */
  readonly items: Items;
  /** How many copies of a shared resource are held; 1 for all others. */
  readonly copies: number;

  constructor(kind: ResourceKind, { milli = 0, ranges = NO_RANGES, items = NO_ITEMS, copies = 1 }: Amount) {
    this.kind = kind;
    this.milli = milli;
    this.ranges = ranges;
    this.items = items;
    this.copies = copies;
  }

  get name(): string {
    return this.kind.name;
  }

  /** An empty amount, or one that a subtraction has driven below nothing. */
  get isEmpty(): boolean {
    if (this.copies <= 0) return true;
    switch (this.kind.type) {
      case Value_Type.SCALAR:
        return this.milli <= 0;
      case Value_Type.RANGES:
        return this.ranges.length === 0;
      default:
        return this.items.length === 0;
    }
  }

  /** Thousandths of a scalar; how many numbers or items, also in thousandths, for ranges and sets. */
  get quantity(): number {
    switch (this.kind.type) {
      case Value_Type.SCALAR:
        return this.milli;
      case Value_Type.RANGES:
        return countRanges(this.ranges) * 1000;
      default:
        return this.items.length * 1000;
    }
  }

  withKind(kind: ResourceKind): ResourceEntry {
    return kind === this.kind ? this : new ResourceEntry(kind, this);
  }

  /** Another amount of a scalar. */
  withMilli(milli: number): ResourceEntry {
    return new ResourceEntry(this.kind, { milli, copies: this.copies });
  }

  withCopies(copies: number): ResourceEntry {
    const { kind, milli, ranges, items } = this;
    return copies === this.copies ? this : new ResourceEntry(kind, { milli, ranges, items, copies });
  }

  /** The same amount of the same kind, copies apart. */
  sameAs(other: ResourceEntry): boolean {
    return this.kind.is(other.kind) && this.sameAmount(other);
  }

  /** Whether the two make one entry when added. */
  joins(other: ResourceEntry): boolean {
    if (!this.kind.is(other.kind)) return false;
    if (this.kind.shared) return this.sameAmount(other);
    return !this.kind.indivisible;
  }

  /** Whether the other can be taken out of this one: any part of a divisible resource, only the whole of others. */
  yields(other: ResourceEntry): boolean {
    if (!this.kind.is(other.kind)) return false;
    return !(this.kind.shared || this.kind.indivisible) || this.sameAmount(other);
  }

  /** Whether this one has all of the other. */
  contains(other: ResourceEntry): boolean {
    if (!this.yields(other)) return false;
    if (this.kind.shared) return this.copies >= other.copies;
    switch (this.kind.type) {
      case Value_Type.SCALAR:
        return other.milli <= this.milli;
      case Value_Type.RANGES:
        return containsRanges(this.ranges, other.ranges);
      default:
        return containsItems(this.items, other.items);
    }
  }

  /** The sum; only when `joins`. */
  plus(other: ResourceEntry): ResourceEntry {
    const { kind, milli, ranges, items, copies } = this;
    if (kind.shared) return new ResourceEntry(kind, { milli, ranges, items, copies: copies + other.copies });
    switch (kind.type) {
      case Value_Type.SCALAR:
        return new ResourceEntry(kind, { milli: milli + other.milli });
      case Value_Type.RANGES:
        return new ResourceEntry(kind, { ranges: addRanges(ranges, other.ranges) });
      default:
        return new ResourceEntry(kind, { items: addItems(items, other.items) });
    }
  }

  /** The difference, which may be empty; only when `yields`. */
  minus(other: ResourceEntry): ResourceEntry {
    const { kind, milli, ranges, items, copies } = this;
    if (kind.shared) return new ResourceEntry(kind, { milli, ranges, items, copies: copies - other.copies });
    switch (kind.type) {
      case Value_Type.SCALAR:
        return new ResourceEntry(kind, { milli: milli - other.milli });
      case Value_Type.RANGES:
        return new ResourceEntry(kind, { ranges: subtractRanges(ranges, other.ranges) });
      default:
        return new ResourceEntry(kind, { items: subtractItems(items, other.items) });
    }
  }

  private sameAmount(other: ResourceEntry): boolean {
    return (
      this.milli === other.milli &&
      equalRanges(this.ranges, other.ranges) &&
      equalItems(this.items, other.items)
    );
  }
}

/** The kinds that every agent has, made once: most resources that come in are of these. */
const COMMON_KINDS = new Map(
  [
    ...["cpus", "mem", "disk", "gpus"].map((name) => new ResourceKind({ name, type: Value_Type.SCALAR })),
    new ResourceKind({ name: "ports", type: Value_Type.RANGES }),
  ].map((kind) => [kind.name, kind]),
);

/** A valid Resource message, in any of the three formats, as an entry (which may be empty). */
export function entryOf(message: Resource): ResourceEntry {
  const kind = kindOf(message);
  switch (kind.type) {
    case Value_Type.SCALAR:
      return new ResourceEntry(kind, { milli: toMilli(message.scalar?.value ?? 0) });
    case Value_Type.RANGES:
      return new ResourceEntry(kind, { ranges: coalesce(message.ranges?.range ?? []) });
    default:
      return new ResourceEntry(kind, { items: [...(message.set?.item ?? [])] });
  }
}

function kindOf(message: Resource): ResourceKind {
  const name = message.name ?? "";
  const type = message.type ?? Value_Type.SCALAR;
  const allocationRole = message.allocation_info?.role;
  if (
    message.reservations.length === 0 &&
    (message.role === undefined || message.role === "*") &&
    message.disk === undefined &&
    message.provider_id === undefined &&
    message.revocable === undefined &&
    message.shared === undefined
  ) {
    const common = COMMON_KINDS.get(name);
    return common?.type === type
      ? common.allocated(allocationRole)
      : new ResourceKind({ name, type, allocationRole });
  }
  return new ResourceKind({
    name,
    type,
    allocationRole,
    reservations: reservationsOf(message),
    disk: message.disk,
    providerId: message.provider_id === undefined ? undefined : (message.provider_id.value ?? ""),
    revocable: message.revocable !== undefined,
    shared: message.shared !== undefined,
  });
}

/** The reservation stack of a message in any of the three formats. */
export function reservationsOf(message: Resource): readonly Resource_ReservationInfo[] {
  if (message.reservations.length > 0) return message.reservations;
  const { role = "*", reservation } = message;
  if (role === "*") return [];
  if (reservation === undefined) return [{ type: ReservationType.STATIC, role }];
  return [{ ...reservation, type: ReservationType.DYNAMIC, role }];
}

/** A new Resource message in the post-refinement format (reservation stack, no `role`, no `reservation`). */
export function messageOf(entry: ResourceEntry): Resource {
  const { kind } = entry;
  const message: Resource = { name: kind.name, type: kind.type, reservations: [...kind.reservations] };
  switch (kind.type) {
    case Value_Type.SCALAR:
      message.scalar = { value: fromMilli(entry.milli) };
      break;
    case Value_Type.RANGES:
      message.ranges = { range: rangeMessages(entry.ranges) };
      break;
    default:
      message.set = { item: [...entry.items] };
  }
  if (kind.allocationRole !== undefined) message.allocation_info = { role: kind.allocationRole };
  if (kind.plain) return message;
  if (kind.disk !== undefined) message.disk = kind.disk;
  if (kind.providerId !== undefined) message.provider_id = { value: kind.providerId };
  if (kind.revocable) message.revocable = {};
  if (kind.shared) message.shared = {};
  return message;
}
