import {
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  Value_Type,
  Volume_Mode,
} from "../../proto/gen/mesos/v1/mesos.js";
import { validateId } from "../ids/index.js";
import { type ResourceEntry, reservationsOf } from "./entry.js";
import { resourceText } from "./print.js";
import { Resources } from "./resources.js";
import { validateResources } from "./validate.js";

/**
 * Rules for the resources that tasks, executors and offer operations name, beyond what makes a single Resource valid.
 * Each gives what is wrong, in Mesos's words, or undefined. Source: src/master/validation.cpp, namespace `resource`.
 */

/** All of the rules that hold wherever resources are used. */
export function validateUsedResources(messages: readonly Resource[]): string | undefined {
  let problem = validateResources(messages);
  if (problem !== undefined) return `Invalid resources: ${problem}`;
  problem = validateGpus(Resources.of(messages));
  if (problem !== undefined) return `Invalid 'gpus' resource: ${problem}`;
  problem = validateDiskInfos(messages);
  if (problem !== undefined) return `Invalid DiskInfo: ${problem}`;
  problem = validateDynamicReservations(messages);
  return problem === undefined ? undefined : `Invalid ReservationInfo: ${problem}`;
}

/** Gpus are whole devices. */
export function validateGpus(resources: Resources): string | undefined {
  return resources.milli("gpus") % 1000 === 0 ? undefined : "The 'gpus' resource must be an unsigned integer";
}

function validateDiskInfos(messages: readonly Resource[]): string | undefined {
  for (const message of messages) {
    const { disk } = message;
    if (disk === undefined) continue;
    if (disk.persistence !== undefined) {
      if (message.revocable !== undefined) {
        return "Persistent volumes cannot be created from revocable resources";
      }
      if (reservationsOf(message).length === 0) {
        return "Persistent volumes cannot be created from unreserved resources";
      }
      if (disk.volume === undefined) return "Expecting 'volume' to be set for persistent volume";
      if (disk.volume.host_path !== undefined) {
        return "Expecting 'host_path' to be unset for persistent volume";
      }
      const problem = validateId(disk.persistence.id ?? "");
      if (problem !== undefined) return `Invalid persistence ID for persistent volume: ${problem}`;
    } else if (disk.volume !== undefined) {
      return "Non-persistent volume not supported";
    } else if (disk.source === undefined) {
      return "DiskInfo is set but empty";
    }
  }
  return undefined;
}

function validateDynamicReservations(messages: readonly Resource[]): string | undefined {
  const wrong = messages.find(
    (message) =>
      message.revocable !== undefined && reservationsOf(message).at(-1)?.type === ReservationType.DYNAMIC,
  );
  return wrong === undefined
    ? undefined
    : `Dynamically reserved resource ${resourceText(wrong)} cannot be created from revocable resources`;
}

/** A persistence id may occur once for each role (on one agent). */
export function validateUniquePersistenceIds(resources: Iterable<ResourceEntry>): string | undefined {
  const seen = new Map<string, Set<string>>();
  for (const { kind } of resources) {
    if (!kind.persistentVolume) continue;
    const id = kind.disk?.persistence?.id ?? "";
    const role = kind.reservationRole ?? "";
    const ids = seen.get(role) ?? new Set();
    if (ids.has(id)) return `Persistence ID '${id}' is not unique`;
    seen.set(role, ids.add(id));
  }
  return undefined;
}

/** Revocable and other resources of one name must not be mixed. */
export function validateRevocableUse(resources: Resources): string | undefined {
  const revocable = resources.revocable().names();
  for (const { kind } of resources) {
    if (!kind.revocable && revocable.has(kind.name)) {
      return `Cannot use both revocable and non-revocable '${kind.name}' at the same time`;
    }
  }
  return undefined;
}

/** Every resource must be a volume that a CREATE or DESTROY can name. */
export function validatePersistentVolumes(messages: readonly Resource[]): string | undefined {
  for (const message of messages) {
    if (message.disk === undefined) return `Resource ${resourceText(message)} does not have DiskInfo`;
    if (message.disk.persistence === undefined) return "'persistence' is not set in DiskInfo";
    if (message.disk.volume === undefined) return "Expecting 'volume' to be set for persistent volume";
    if (message.disk.volume.mode === Volume_Mode.RO) return "Read-only persistent volume not supported";
  }
  return undefined;
}

/** All resources must be allocated, and to one role. */
export function validateSingleAllocationRole(resources: Resources): string | undefined {
  let first: string | undefined;
  for (const { kind } of resources) {
    const role = kind.allocationRole;
    if (role === undefined) return "The resources are not allocated to a role";
    first ??= role;
    if (role !== first) {
      return `The resources have multiple allocation roles ('${role}' and '${first}') but only one allocation role is allowed`;
    }
  }
  return undefined;
}

/** All resources must come from one provider, or all from the agent itself. */
export function validateSingleProvider(messages: readonly Resource[]): string | undefined {
  const providers = new Set(messages.map((message) => message.provider_id?.value));
  if (providers.size === 1) return undefined;
  if (providers.has(undefined)) return "Some resources have a resource provider and some do not";
  return `The resources have multiple resource providers: ${[...providers].join(", ")}`;
}

/** True when two of the bundles name the same port, or the same number or item of any ranges or set. */
export function haveOverlap(bundles: readonly Resources[]): boolean {
  const members = (resources: Resources): number => {
    let count = 0;
    for (const entry of resources) if (entry.kind.type !== Value_Type.SCALAR) count += entry.quantity;
    return count;
  };
  return members(Resources.sum(bundles)) !== bundles.reduce((count, one) => count + members(one), 0);
}
