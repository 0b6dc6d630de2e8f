import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  type Labels,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource_DiskInfo,
  type Resource_ReservationInfo,
  type Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { isInSubtree } from "../roles/index.js";

export interface ResourceKindParts {
  readonly name: string;
  /** SCALAR, RANGES or SET. */
  readonly type: Value_Type;
  readonly allocationRole?: string | undefined;
  /** The reservation stack, outermost role first; empty for unreserved. */
  readonly reservations?: readonly Resource_ReservationInfo[] | undefined;
  readonly disk?: Resource_DiskInfo | undefined;
  readonly providerId?: string | undefined;
  readonly revocable?: boolean | undefined;
  readonly shared?: boolean | undefined;
}

/** Of a kind, so many allocated forms are remembered; with more roles the memory starts anew. */
const MAX_ROLES = 1024;

const UNRESERVED: readonly Resource_ReservationInfo[] = [];

/**
 * Everything of a resource but its amount. Two resources can be added or subtracted when their kinds are the same:
 * name, type, allocation role, reservation stack, disk, provider, revocable and shared.
 *
 * Not part of the identity, as in Mesos: how a volume is mounted and the principal who made it, because they describe a
 * use of the resource and differ from task to task. Immutable.
 */
export class ResourceKind {
  readonly name: string;
  readonly type: Value_Type;
  readonly allocationRole: string | undefined;
  readonly reservations: readonly Resource_ReservationInfo[];
  readonly disk: Resource_DiskInfo | undefined;
  readonly providerId: string | undefined;
  readonly revocable: boolean;
  readonly shared: boolean;
  /** Nothing but name, type and allocation role: nearly every resource of most clusters, so it has the fast paths. */
  readonly plain: boolean;
  /** Comes and goes only as a whole: persistent volumes, MOUNT and BLOCK disks, RAW disks that have an id. */
  readonly indivisible: boolean;

  #details: string | undefined;
  #key: string | undefined;
  /** The same kind allocated to nobody, where this one is allocated. */
  #unallocated: ResourceKind | undefined;
  /** The same kind allocated, by role: of the kinds that every agent has there is one a role, so most comparisons are of one object. */
  #allocated: Map<string, ResourceKind> | undefined;

  constructor(parts: ResourceKindParts) {
    this.name = parts.name;
    this.type = parts.type;
    this.allocationRole = parts.allocationRole;
    this.reservations = parts.reservations ?? UNRESERVED;
    this.disk = parts.disk;
    this.providerId = parts.providerId;
    this.revocable = parts.revocable ?? false;
    this.shared = parts.shared ?? false;
    this.plain =
      this.reservations.length === 0 &&
      this.disk === undefined &&
      this.providerId === undefined &&
      !this.revocable &&
      !this.shared;
    this.indivisible = this.disk !== undefined && isIndivisible(this.disk);
  }

  /** True when amounts of the two kinds can be put together. */
  is(other: ResourceKind): boolean {
    if (this === other) return true;
    if (
      this.name !== other.name ||
      this.type !== other.type ||
      this.allocationRole !== other.allocationRole
    ) {
      return false;
    }
    if (this.plain || other.plain) return this.plain && other.plain;
    return this.details === other.details;
  }

  /** One text per identity, for use as a map key. */
  get key(): string {
    this.#key ??= part(this.name) + this.type + part(this.allocationRole) + this.details;
    return this.#key;
  }

  /** The role that holds the innermost reservation; undefined for unreserved. */
  get reservationRole(): string | undefined {
    return this.reservations.at(-1)?.role;
  }

  get reserved(): boolean {
    return this.reservations.length > 0;
  }

  get dynamicallyReserved(): boolean {
    return this.reservations.at(-1)?.type === ReservationType.DYNAMIC;
  }

  get persistentVolume(): boolean {
    return this.disk?.persistence !== undefined;
  }

  /** Unreserved, or reserved for the role or for one above it. */
  allocatableTo(role: string): boolean {
    const reservedFor = this.reservationRole;
    return reservedFor === undefined || isInSubtree(role, reservedFor);
  }

  /** The same kind allocated to a role, or to none. */
  allocated(role: string | undefined): ResourceKind {
    if (this.allocationRole === role) return this;
    if (this.allocationRole !== undefined) {
      this.#unallocated ??= this.with({ allocationRole: undefined });
      return this.#unallocated.allocated(role);
    }
    if (role === undefined) return this;
    this.#allocated ??= new Map();
    let allocated = this.#allocated.get(role);
    if (allocated === undefined) {
      allocated = this.with({ allocationRole: role });
      allocated.#unallocated = this;
      if (this.#allocated.size >= MAX_ROLES) this.#allocated.clear();
      this.#allocated.set(role, allocated);
    }
    return allocated;
  }

  with(changes: Partial<ResourceKindParts>): ResourceKind {
    const { name, type, allocationRole, reservations, disk, providerId, revocable, shared } = this;
    return new ResourceKind({
      name,
      type,
      allocationRole,
      reservations,
      disk,
      providerId,
      revocable,
      shared,
      ...changes,
    });
  }

  private get details(): string {
    this.#details ??= this.plain ? "" : detailsOf(this);
    return this.#details;
  }
}

function isIndivisible(disk: Resource_DiskInfo): boolean {
  if (disk.persistence !== undefined) return true;
  const type = disk.source?.type;
  return (
    type === DiskSourceType.MOUNT ||
    type === DiskSourceType.BLOCK ||
    (type === DiskSourceType.RAW && disk.source?.id !== undefined)
  );
}

/** A text that cannot run into the next one: length first; unset differs from empty. */
function part(text: string | undefined): string {
  return text === undefined ? "-" : `${text.length}:${text}`;
}

function detailsOf(kind: ResourceKind): string {
  let text = `${kind.revocable ? "R" : "r"}${kind.shared ? "S" : "s"}${part(kind.providerId)}`;
  for (const { type, role, principal, labels } of kind.reservations) {
    text += `(${type ?? "-"}${part(role)}${part(principal)}${labelsKey(labels)})`;
  }
  return kind.disk === undefined ? text : `${text}${diskKey(kind.disk)}`;
}

function diskKey({ persistence, source }: Resource_DiskInfo): string {
  let text = persistence === undefined ? "d-" : `d${part(persistence.id ?? "")}`;
  if (source !== undefined) {
    const { type, path, mount, vendor, id, metadata, profile } = source;
    text += `[${type ?? "-"}${path === undefined ? "" : `p${part(path.root)}`}${mount === undefined ? "" : `m${part(mount.root)}`}`;
    text += `${part(vendor)}${part(id)}${labelsKey(metadata)}${part(profile)}]`;
  }
  return text;
}

/** The order of labels has no meaning. */
function labelsKey(labels: Labels | undefined): string {
  if (labels === undefined) return "-";
  const parts = labels.labels.map(({ key, value }) => part(key ?? "") + part(value));
  return `<${parts.sort().join("")}>`;
}
