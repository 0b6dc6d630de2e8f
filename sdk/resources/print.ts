import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  type Labels,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  type Resource_DiskInfo,
  type Resource_DiskInfo_Source,
  type Resource_ReservationInfo,
  Value_Type,
  type Volume,
  Volume_Mode,
} from "../../proto/gen/mesos/v1/mesos.js";
import { messageOf, type ResourceEntry, reservationsOf } from "./entry.js";
import { rangesText } from "./ranges.js";
import { scalarText, toMilli } from "./scalar.js";
import { itemsText } from "./sets.js";

/** A resource as Mesos writes it in logs and error texts: `disk(reservations: [(STATIC,ads)])[id1:data]:64`. */
export function resourceText(message: Resource): string {
  let text = message.name ?? "";
  if (message.allocation_info !== undefined) text += `(allocated: ${message.allocation_info.role ?? ""})`;
  const reservations = reservationsOf(message);
  if (reservations.length > 0) {
    text += `(reservations: [${reservations.map((one) => `(${reservationText(one)})`).join(",")}])`;
  }
  if (message.disk !== undefined) text += `[${diskText(message.disk)}]`;
  if (message.revocable !== undefined) text += "{REV}";
  if (message.shared !== undefined) text += "<SHARED>";
  return `${text}:${amountText(message)}`;
}

/** An entry as `resourceText` writes it, with the number of copies of a shared one. */
export function entryText(entry: ResourceEntry): string {
  return resourceText(messageOf(entry)) + (entry.kind.shared ? `<${entry.copies}>` : "");
}

function amountText(message: Resource): string {
  switch (message.type) {
    case Value_Type.RANGES: {
      const ranges = message.ranges?.range ?? [];
      return rangesText(ranges.flatMap(({ begin = 0, end = 0 }) => [begin, end]));
    }
    case Value_Type.SET:
      return itemsText(message.set?.item ?? []);
    default:
      return scalarText(toMilli(message.scalar?.value ?? 0));
  }
}

function reservationText({ type, role, principal, labels }: Resource_ReservationInfo): string {
  const parts = [ReservationType[type ?? ReservationType.UNKNOWN], role ?? ""];
  if (principal !== undefined) parts.push(principal);
  if (labels !== undefined) parts.push(labelsText(labels));
  return parts.join(",");
}

/** `{key: value, other}`. */
export function labelsText({ labels }: Labels): string {
  const texts = labels.map(({ key, value }) => (value === undefined ? `${key}` : `${key}: ${value}`));
  return `{${texts.join(", ")}}`;
}

function diskText({ source, persistence, volume }: Resource_DiskInfo): string {
  let text = source === undefined ? "" : diskSourceText(source);
  if (persistence !== undefined) text += `${source === undefined ? "" : ","}${persistence.id ?? ""}`;
  if (volume !== undefined) text += `:${volumeText(volume)}`;
  return text;
}

/** `MOUNT:/mnt/ssd`, or `RAW(vendor,id,profile)` for a disk of a storage plugin. */
export function diskSourceText({ type, id, profile, vendor, path, mount }: Resource_DiskInfo_Source): string {
  const fromPlugin =
    id === undefined && profile === undefined ? undefined : `(${vendor ?? ""},${id ?? ""},${profile ?? ""})`;
  const root =
    type === DiskSourceType.MOUNT ? mount?.root : type === DiskSourceType.PATH ? path?.root : undefined;
  if (type === undefined || type === DiskSourceType.UNKNOWN) return "UNKNOWN";
  return DiskSourceType[type] + (fromPlugin ?? (root === undefined ? "" : `:${root}`));
}

function volumeText({ container_path: containerPath = "", host_path: hostPath, mode }: Volume): string {
  if (hostPath === undefined) return containerPath;
  const suffix = mode === undefined ? "" : mode === Volume_Mode.RO ? ":ro" : ":rw";
  return `${hostPath}:${containerPath}${suffix}`;
}
