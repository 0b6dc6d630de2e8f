import { type Resource, type Value_Range, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { isInSubtree } from "../roles/index.js";
import { entryOf, messageOf, type ResourceEntry } from "./entry.js";
import { appendEntry, containsEntries, equalEntries, subtractEntries } from "./entry-list.js";
import { addOldFields, type ResourceFormat } from "./format.js";
import { entryText } from "./print.js";
import type { Quantities } from "./quantities.js";
import { addRanges, NO_RANGES, rangeMessages } from "./ranges.js";
import { failure, type Result, success } from "./result.js";
import { fromMilli } from "./scalar.js";
import { addItems, type Items, NO_ITEMS } from "./sets.js";
import { validateResource, validateResources } from "./validate.js";

/**
 * A bundle of resources: what an agent has, an offer carries, a task uses. An immutable value: every operation gives a
 * new one (or the same one, where nothing changes).
 *
 * Normalised: amounts of the same kind are one entry and no entry is empty, so equal bundles have equal entries but for
 * their order. Scalars are exact at three decimals. Persistent volumes, MOUNT and BLOCK disks and RAW disks with an id
 * are indivisible; shared volumes count copies. Inside, reservations are a stack (the post-refinement format).
 */
export class Resources implements Iterable<ResourceEntry> {
  // `this`, not the class's name: the compiler puts an alias there that is not yet set when this line runs.
  static readonly empty: Resources = new this([]);

  readonly entries: readonly ResourceEntry[];
  #quantities: Quantities | undefined;

  private constructor(entries: readonly ResourceEntry[]) {
    this.entries = entries;
  }

  /** The messages, in any format, added up; or what is wrong with the first bad one, in Mesos's words. */
  static fromMessages(messages: readonly Resource[]): Result<Resources> {
    const problem = validateResources(messages);
    if (problem !== undefined) return failure(problem);
    return success(Resources.fromEntries(messages.map(entryOf)));
  }

  /**
   * The messages added up, leaving out invalid ones, as Mesos's arithmetic does. For messages that have been validated
   * before; `fromMessages` is for those that have not.
   */
  static of(messages: readonly Resource[]): Resources {
    const entries: ResourceEntry[] = [];
    for (const message of messages) {
      if (validateResource(message) === undefined) appendEntry(entries, entryOf(message));
    }
    return Resources.fromNormalised(entries);
  }

  /** Entries of other bundles added up. */
  static fromEntries(all: Iterable<ResourceEntry>): Resources {
    const entries: ResourceEntry[] = [];
    for (const entry of all) appendEntry(entries, entry);
    return Resources.fromNormalised(entries);
  }

  /** Entries that make a normalised list already; not checked. */
  static fromNormalised(entries: readonly ResourceEntry[]): Resources {
    return entries.length === 0 ? Resources.empty : new Resources(entries);
  }

  static sum(all: Iterable<Resources>): Resources {
    let first = Resources.empty;
    let entries: ResourceEntry[] | undefined;
    for (const resources of all) {
      if (first.isEmpty) first = resources;
      else if (!resources.isEmpty) {
        entries ??= first.entries.slice();
        for (const entry of resources.entries) appendEntry(entries, entry);
      }
    }
    return entries === undefined ? first : new Resources(entries);
  }

  [Symbol.iterator](): Iterator<ResourceEntry> {
    return this.entries[Symbol.iterator]();
  }

  /** How many different kinds of resources there are. */
  get size(): number {
    return this.entries.length;
  }

  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  add(that: Resources): Resources {
    if (that.isEmpty) return this;
    if (this.isEmpty) return that;
    const entries = this.entries.slice();
    for (const entry of that.entries) appendEntry(entries, entry);
    return new Resources(entries);
  }

  /**
   * What is left without `that`. What this bundle does not have is ignored, and taking more than there is leaves nothing
   * of it, never less than nothing; check `contains` first where that would be a fault.
   */
  subtract(that: Resources): Resources {
    if (that.isEmpty || this.isEmpty) return this;
    return Resources.fromNormalised(subtractEntries(this.entries, that.entries));
  }

  contains(that: Resources): boolean {
    return this === that || containsEntries(this.entries, that.entries);
  }

  /** True when at least these amounts are there, of whatever kind; ranges and sets count their members. */
  containsQuantities(quantities: Quantities): boolean {
    for (const [name, wanted] of quantities) {
      let missing = wanted;
      for (const entry of this.entries) if (entry.kind.name === name) missing -= entry.quantity;
      if (missing > 0) return false;
    }
    return true;
  }

  equals(that: Resources): boolean {
    return this === that || equalEntries(this.entries, that.entries);
  }

  filter(keep: (entry: ResourceEntry) => boolean): Resources {
    // Mostly all is kept, and then nothing is copied.
    if (this.entries.every(keep)) return this;
    return Resources.fromNormalised(this.entries.filter(keep));
  }

  unreserved(): Resources {
    return this.filter(({ kind }) => !kind.reserved);
  }

  /** Reserved for exactly this role; without a role, for any. */
  reserved(role?: string): Resources {
    return this.filter(({ kind }) => kind.reserved && (role === undefined || kind.reservationRole === role));
  }

  /** Unreserved, or reserved for the role or for one above it. */
  allocatableTo(role: string): Resources {
    return this.filter(({ kind }) => kind.allocatableTo(role));
  }

  /** Allocated to the role or to one below it. */
  allocatedToSubtree(role: string): Resources {
    return this.filter(
      ({ kind }) => kind.allocationRole !== undefined && isInSubtree(kind.allocationRole, role),
    );
  }

  /** Reserved for the role or for one below it. */
  reservedToSubtree(role: string): Resources {
    return this.filter(({ kind }) => kind.reserved && isInSubtree(kind.reservationRole ?? "", role));
  }

  revocable(): Resources {
    return this.filter(({ kind }) => kind.revocable);
  }

  nonRevocable(): Resources {
    return this.filter(({ kind }) => !kind.revocable);
  }

  shared(): Resources {
    return this.filter(({ kind }) => kind.shared);
  }

  nonShared(): Resources {
    return this.filter(({ kind }) => !kind.shared);
  }

  persistentVolumes(): Resources {
    return this.filter(({ kind }) => kind.persistentVolume);
  }

  scalars(): Resources {
    return this.filter(({ kind }) => kind.type === Value_Type.SCALAR);
  }

  named(name: string): Resources {
    return this.filter(({ kind }) => kind.name === name);
  }

  /** The reserved resources by the role of the innermost reservation. */
  reservations(): Map<string, Resources> {
    return this.#groupBy(({ kind }) => kind.reservationRole);
  }

  /** The allocated resources by the role they are allocated to. */
  allocations(): Map<string, Resources> {
    return this.#groupBy(({ kind }) => kind.allocationRole);
  }

  /** The same resources allocated to a role. */
  allocate(role: string): Resources {
    return this.#allocated(role);
  }

  unallocate(): Resources {
    return this.#allocated(undefined);
  }

  /** The same amounts without any reservation; Mesos's older name for it is "flatten". */
  toUnreserved(): Resources {
    return this.mapEntries((entry) =>
      entry.kind.reserved ? entry.withKind(entry.kind.with({ reservations: [] })) : entry,
    );
  }

  /** Each entry changed, the results added up. */
  mapEntries(change: (entry: ResourceEntry) => ResourceEntry): Resources {
    let changed = false;
    const entries = this.entries.map((entry) => {
      const result = change(entry);
      changed ||= result !== entry;
      return result;
    });
    return changed ? Resources.fromEntries(entries) : this;
  }

  /** Thousandths of the scalar of that name, of all kinds together; 0 when there is none. */
  milli(name: string): number {
    let milli = 0;
    for (const entry of this.entries) if (entry.kind.name === name) milli += entry.milli;
    return milli;
  }

  /** The scalar of that name, of all kinds together; 0 when there is none. */
  scalar(name: string): number {
    return fromMilli(this.milli(name));
  }

  /** Cores. */
  get cpus(): number {
    return this.scalar("cpus");
  }

  /** Megabytes (1024 * 1024 bytes). */
  get mem(): number {
    return this.scalar("mem");
  }

  /** Megabytes (1024 * 1024 bytes). */
  get disk(): number {
    return this.scalar("disk");
  }

  /** Whole devices. */
  get gpus(): number {
    return this.scalar("gpus");
  }

  get ports(): Value_Range[] {
    return this.ranges("ports");
  }

  /** The ranges of that name, of all kinds together, sorted and joined. */
  ranges(name: string): Value_Range[] {
    let ranges = NO_RANGES;
    for (const entry of this.entries) if (entry.kind.name === name) ranges = addRanges(ranges, entry.ranges);
    return rangeMessages(ranges);
  }

  /** The set items of that name, of all kinds together. */
  items(name: string): Items {
    let items = NO_ITEMS;
    for (const entry of this.entries) if (entry.kind.name === name) items = addItems(items, entry.items);
    return items;
  }

  names(): Set<string> {
    return new Set(this.entries.map(({ kind }) => kind.name));
  }

  /** The scalar totals by name, in thousandths. Computed once. */
  quantities(): Quantities {
    if (this.#quantities === undefined) {
      const totals = new Map<string, number>();
      for (const { kind, milli } of this.entries) {
        if (kind.type === Value_Type.SCALAR) totals.set(kind.name, (totals.get(kind.name) ?? 0) + milli);
      }
      this.#quantities = totals;
    }
    return this.#quantities;
  }

  /**
   * New Resource messages, one an entry; a shared resource is one message, however many copies there are. Disk and
   * reservation messages inside them are this bundle's own and must not be changed.
   */
  toMessages(format: ResourceFormat = "post-refinement"): Resource[] {
    const messages = this.entries.map(messageOf);
    if (format !== "post-refinement") for (const message of messages) addOldFields(message, format);
    return messages;
  }

  /** As Mesos writes resources in logs and error texts: `cpus:2; mem:1024`, `{}` for none. */
  toString(): string {
    return this.isEmpty ? "{}" : this.entries.map(entryText).join("; ");
  }

  #allocated(role: string | undefined): Resources {
    const before = this.entries[0]?.kind.allocationRole;
    if (this.entries.some(({ kind }) => kind.allocationRole !== before)) {
      return this.mapEntries((entry) => entry.withKind(entry.kind.allocated(role)));
    }
    // Entries that differed before and were allocated alike still differ, so there is nothing to add up.
    if (before === role) return this;
    return Resources.fromNormalised(this.entries.map((entry) => entry.withKind(entry.kind.allocated(role))));
  }

  #groupBy(roleOf: (entry: ResourceEntry) => string | undefined): Map<string, Resources> {
    const groups = new Map<string, ResourceEntry[]>();
    for (const entry of this.entries) {
      const role = roleOf(entry);
      if (role === undefined) continue;
      const group = groups.get(role);
      if (group === undefined) groups.set(role, [entry]);
      else group.push(entry);
    }
    return new Map(Array.from(groups, ([role, entries]) => [role, new Resources(entries)]));
  }
}
