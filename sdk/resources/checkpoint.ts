import { Resource_ReservationInfo_Type as ReservationType } from "../../proto/gen/mesos/v1/mesos.js";
import { applyConversion, stripVolumes } from "./conversion.js";
import type { ResourceEntry } from "./entry.js";
import { entryText } from "./print.js";
import { Resources } from "./resources.js";
import { failure, type Result, success } from "./result.js";

/**
 * Whether an agent must remember a resource across restarts: what it made by operations rather than found on the host,
 * dynamic reservations and persistent volumes. Resource providers remember their own.
 */
export function needsCheckpoint({ kind }: ResourceEntry): boolean {
  return kind.providerId === undefined && (kind.dynamicallyReserved || kind.persistentVolume);
}

/**
 * An agent's total after a restart: what the host and the flags give, with the remembered reservations and volumes taken
 * out of it and put in. An error, in Mesos's words, when the host no longer has what they are made of.
 */
export function applyCheckpointed(resources: Resources, checkpointed: Resources): Result<Resources> {
  let total = resources;
  for (const entry of checkpointed) {
    if (!needsCheckpoint(entry)) return failure(`Unexpected checkpointed resources ${entryText(entry)}`);
    // Flags can give only unreserved and statically reserved resources, so that is what it was made of.
    const reservations = entry.kind.reservations.filter(({ type }) => type === ReservationType.STATIC);
    const stripped = stripVolumes(Resources.fromEntries([entry.withKind(entry.kind.with({ reservations }))]));
    const result = applyConversion(total, { consumed: stripped, converted: Resources.fromEntries([entry]) });
    if (!result.ok) return failure(`Incompatible agent resources: ${result.error}`);
    total = result.value;
  }
  return success(total);
}
