import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  type Resource,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { ResourceEntry } from "./entry.js";
import { popReservation } from "./reservations.js";
import { Resources } from "./resources.js";
import { failure, type Result, success } from "./result.js";
import { toMilli } from "./scalar.js";

/** Resources that an offer operation turns into others. */
export interface ResourceConversion {
  readonly consumed: Resources;
  readonly converted: Resources;
  /** Must no longer be there afterwards: a volume with further shared copies cannot be destroyed. */
  readonly gone?: Resources | undefined;
}

/** The resources after the conversion, or why it cannot be done, in Mesos's words. */
export function applyConversion(
  resources: Resources,
  { consumed, converted, gone }: ResourceConversion,
): Result<Resources> {
  if (!resources.contains(consumed)) return failure(`${resources} does not contain ${consumed}`);
  const result = resources.subtract(consumed).add(converted);
  if (gone !== undefined && result.contains(gone)) {
    return failure(`Persistent volume ${gone} cannot be removed due to additional shared copies`);
  }
  return success(result);
}

/**
 * The resources after an offer operation, or why it cannot be done. Operations that only a resource provider can do
 * (CREATE_DISK, DESTROY_DISK) and launches convert nothing by themselves and are errors here. The operation must have
 * been validated: invalid resources in it are left out.
 */
export function applyOperation(resources: Resources, operation: Offer_Operation): Result<Resources> {
  const conversions = conversionsOf(operation);
  if (!conversions.ok) return failure(`Cannot get conversions: ${conversions.error}`);
  return applyConversions(resources, conversions.value);
}

/** The resources after all of the conversions, one after the other. */
export function applyConversions(
  resources: Resources,
  conversions: readonly ResourceConversion[],
): Result<Resources> {
  let result = success(resources) as Result<Resources>;
  for (const conversion of conversions) {
    if (result.ok) result = applyConversion(result.value, conversion);
  }
  return result;
}

/** What an offer operation does to resources, step by step. */
export function conversionsOf(operation: Offer_Operation): Result<ResourceConversion[]> {
  switch (operation.type) {
    case OperationType.RESERVE: {
      const converted = Resources.of(operation.reserve?.resources ?? []);
      const source = Resources.of(operation.reserve?.source ?? []);
      return success([{ consumed: source.isEmpty ? popReservation(converted) : source, converted }]);
    }
    case OperationType.UNRESERVE:
      return success(
        each(operation.unreserve?.resources, (consumed) => ({
          consumed,
          converted: popReservation(consumed),
        })),
      );
    case OperationType.CREATE:
      return success(
        each(operation.create?.volumes, (converted) => ({ consumed: stripVolumes(converted), converted })),
      );
    case OperationType.DESTROY:
      return success(
        each(operation.destroy?.volumes, (consumed) => ({
          consumed,
          converted: stripVolumes(consumed),
          gone: consumed,
        })),
      );
    case OperationType.GROW_VOLUME:
      return grow(one(operation.grow_volume?.volume), one(operation.grow_volume?.addition));
    case OperationType.SHRINK_VOLUME:
      return shrink(
        one(operation.shrink_volume?.volume),
        toMilli(operation.shrink_volume?.subtract?.value ?? 0),
      );
    case OperationType.LAUNCH:
    case OperationType.LAUNCH_GROUP:
    case OperationType.CREATE_DISK:
    case OperationType.DESTROY_DISK:
      return failure("Operation not supported");
    default:
      return failure("Unknown operation");
  }
}

/** The disk space that persistent volumes are made of: same disk and reservations, without volume and sharing. */
export function stripVolumes(volumes: Resources): Resources {
  return volumes.mapEntries((entry) => entry.withKind(strippedKind(entry)).withCopies(1));
}

function strippedKind({ kind }: ResourceEntry): ResourceEntry["kind"] {
  if (!kind.persistentVolume) return kind;
  const source = kind.disk?.source;
  return kind.with({ disk: source === undefined ? undefined : { source }, shared: false });
}

function grow(volume: Resources, addition: Resources): Result<ResourceConversion[]> {
  if (hasProvider(volume)) return failure("Operation not supported for resource provider");
  const converted = volume.mapEntries((entry) => entry.withMilli(entry.milli + addition.milli(entry.name)));
  return success([{ consumed: volume.add(addition), converted }]);
}

function shrink(volume: Resources, milli: number): Result<ResourceConversion[]> {
  if (hasProvider(volume)) return failure("Operation not supported for resource provider");
  const shrunk = volume.mapEntries((entry) => entry.withMilli(entry.milli - milli));
  const freed = stripVolumes(volume).mapEntries((entry) => entry.withMilli(milli));
  return success([{ consumed: volume, converted: shrunk.add(freed) }]);
}

function hasProvider(resources: Resources): boolean {
  return resources.entries.some(({ kind }) => kind.providerId !== undefined);
}

function each(
  messages: readonly Resource[] | undefined,
  conversion: (resource: Resources) => ResourceConversion,
): ResourceConversion[] {
  return (messages ?? []).map((message) => conversion(Resources.of([message])));
}

function one(message: Resource | undefined): Resources {
  return Resources.of(message === undefined ? [] : [message]);
}
