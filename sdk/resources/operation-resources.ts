import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  type Resource,
} from "../../proto/gen/mesos/v1/mesos.js";

/**
 * Whether an operation's outcome is known when it is accepted, so that what it makes can be used at once. The others
 * (CREATE_DISK, DESTROY_DISK) are done by a storage plugin, and what they make is known when that has done them.
 */
export function isSpeculative({ type }: Offer_Operation): boolean {
  switch (type) {
    case OperationType.RESERVE:
    case OperationType.UNRESERVE:
    case OperationType.CREATE:
    case OperationType.DESTROY:
    case OperationType.GROW_VOLUME:
    case OperationType.SHRINK_VOLUME:
      return true;
    default:
      return false;
  }
}

/** The resources that an offer operation names; none for launches, whose resources are those of tasks. */
export function operationResources(operation: Offer_Operation): Resource[] {
  const found: Resource[] = [];
  mapOperationResources(operation, (message) => {
    found.push(message);
    return message;
  });
  return found;
}

/** A copy of an offer operation with each resource that it names changed; launches come back as they are. */
export function mapOperationResources(
  operation: Offer_Operation,
  change: (message: Resource) => Resource,
): Offer_Operation {
  const { reserve, unreserve, create, destroy, grow_volume, shrink_volume, create_disk, destroy_disk } =
    operation;
  const one = (message: Resource | undefined) => (message === undefined ? undefined : change(message));
  const mapped: Offer_Operation = { ...operation };
  if (reserve !== undefined) {
    mapped.reserve = { source: reserve.source.map(change), resources: reserve.resources.map(change) };
  }
  if (unreserve !== undefined) mapped.unreserve = { resources: unreserve.resources.map(change) };
  if (create !== undefined) mapped.create = { volumes: create.volumes.map(change) };
  if (destroy !== undefined) mapped.destroy = { volumes: destroy.volumes.map(change) };
  if (grow_volume !== undefined) {
    mapped.grow_volume = { volume: one(grow_volume.volume), addition: one(grow_volume.addition) };
  }
  if (shrink_volume !== undefined) {
    mapped.shrink_volume = { ...shrink_volume, volume: one(shrink_volume.volume) };
  }
  if (create_disk !== undefined) mapped.create_disk = { ...create_disk, source: one(create_disk.source) };
  if (destroy_disk !== undefined) mapped.destroy_disk = { source: one(destroy_disk.source) };
  return mapped;
}
