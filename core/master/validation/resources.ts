import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { validateId } from "../../../sdk/ids/index.js";
import { Resources, resourceText } from "../../../sdk/resources/index.js";

/*
 * Rules about the resources of tasks and executors, beyond those that hold for every resource (sdk/resources). Each function says what
 * is wrong, in Mesos's words, or undefined.
 *
 * Source: src/master/validation.cpp, namespace `resource`.
 */

/** @param messages valid ones, in the post-refinement format */
export function validateUse(messages: readonly Resource[], resources: Resources): string | undefined {
  if (resources.milli("gpus") % 1000 !== 0) {
    return "Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer";
  }
  for (const message of messages) {
    const problem = message.disk === undefined ? undefined : validateDiskInfo(message);
    if (problem !== undefined) return `Invalid DiskInfo: ${problem}`;
  }
  for (const { kind } of resources) {
    if (kind.dynamicallyReserved && kind.revocable) {
      const text = messages.find(({ name, revocable }) => name === kind.name && revocable !== undefined);
      return `Invalid ReservationInfo: Dynamically reserved resource ${text === undefined ? kind.name : resourceText(text)} cannot be created from revocable resources`;
    }
  }
  return undefined;
}

function validateDiskInfo({ disk, revocable, reservations }: Resource): string | undefined {
  if (disk?.persistence !== undefined) {
    if (revocable !== undefined) return "Persistent volumes cannot be created from revocable resources";
    if (reservations.length === 0) return "Persistent volumes cannot be created from unreserved resources";
    if (disk.volume === undefined) return "Expecting 'volume' to be set for persistent volume";
    if (disk.volume.host_path !== undefined) return "Expecting 'host_path' to be unset for persistent volume";
    const problem = validateId(disk.persistence.id ?? "");
    return problem === undefined ? undefined : `Invalid persistence ID for persistent volume: ${problem}`;
  }
  if (disk?.volume !== undefined) return "Non-persistent volume not supported";
  return disk?.source === undefined ? "DiskInfo is set but empty" : undefined;
}

/** Persistence ids are unique for each role on an agent. */
export function validateUniquePersistenceIds(resources: Resources): string | undefined {
  let seen: Set<string> | undefined;
  for (const { kind } of resources) {
    if (!kind.persistentVolume) continue;
    const id = kind.disk?.persistence?.id ?? "";
    const key = `${kind.reservationRole ?? ""}\n${id}`;
    seen ??= new Set();
    if (seen.has(key)) return `Persistence ID '${id}' is not unique`;
    seen.add(key);
  }
  return undefined;
}

export function validateOneAllocationRole(resources: Resources): string | undefined {
  let role: string | undefined;
  for (const { kind } of resources) {
    const { allocationRole } = kind;
    if (allocationRole === undefined) return "The resources are not allocated to a role";
    if (role !== undefined && role !== allocationRole) {
      return `The resources have multiple allocation roles ('${allocationRole}' and '${role}') but only one allocation role is allowed`;
    }
    role = allocationRole;
  }
  return undefined;
}

export function validateRevocability(resources: Resources): string | undefined {
  if (!resources.entries.some(({ kind }) => kind.revocable)) return undefined;
  for (const name of resources.names()) {
    const named = resources.named(name);
    const revocable = named.revocable();
    if (!revocable.isEmpty && revocable.size !== named.size) {
      return `Cannot use both revocable and non-revocable '${name}' at the same time`;
    }
  }
  return undefined;
}

/** True when two of the bundles want the same port or the same item of a set. */
export function overlap(bundles: readonly Resources[]): boolean {
  const discrete = bundles.map((bundle) => bundle.filter(({ kind }) => kind.type !== Value_Type.SCALAR));
  if (discrete.every((bundle) => bundle.isEmpty)) return false;
  const apart = discrete.reduce((sum, bundle) => sum + amount(bundle), 0);
  return apart !== amount(Resources.sum(discrete));
}

const amount = (resources: Resources): number =>
  resources.entries.reduce((sum, entry) => sum + entry.quantity, 0);
