import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  type Resource_DiskInfo,
  type Resource_ReservationInfo,
  Value_Type,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { parseResourceList, parseResources, Resources, type Result } from "../../../sdk/resources/index.js";

/** The value, or a failed test that says what was wrong. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

/** Resources in Mesos's text form. */
export const resources = (text: string): Resources => unwrap(parseResources(text));

/** The messages of Mesos's text form, as written. */
export const messages = (text: string): Resource[] => unwrap(parseResourceList(text));

/** Everything valid that a message can hold besides what is given. */
export function scalar(name: string, value: number, more: Partial<Resource> = {}): Resource {
  return { name, type: Value_Type.SCALAR, scalar: { value }, reservations: [], ...more };
}

export function ranges(
  name: string,
  list: readonly (readonly [number, number])[],
  more: Partial<Resource> = {},
): Resource {
  const range = list.map(([begin, end]) => ({ begin, end }));
  return { name, type: Value_Type.RANGES, ranges: { range }, reservations: [], ...more };
}

export function set(name: string, item: string[], more: Partial<Resource> = {}): Resource {
  return { name, type: Value_Type.SET, set: { item }, reservations: [], ...more };
}

export function fixed(role: string): Resource_ReservationInfo {
  return { type: ReservationType.STATIC, role };
}

export function dynamic(
  role: string,
  more: Partial<Resource_ReservationInfo> = {},
): Resource_ReservationInfo {
  return { type: ReservationType.DYNAMIC, role, ...more };
}

export interface VolumeParts {
  readonly size: number;
  readonly role?: string;
  readonly id?: string;
  readonly path?: string;
  readonly shared?: boolean;
  readonly source?: Resource_DiskInfo["source"];
}

/** A persistent volume. */
export function volume({
  size,
  role = "ads",
  id = "id1",
  path = "data",
  shared = false,
  source,
}: VolumeParts): Resource {
  const disk: Resource_DiskInfo = {
    persistence: { id, principal: "alice" },
    volume: { container_path: path, mode: Volume_Mode.RW },
  };
  if (source !== undefined) disk.source = source;
  return scalar("disk", size, { reservations: [dynamic(role)], disk, ...(shared ? { shared: {} } : {}) });
}

/** A disk with a source of the type. */
export function disk(
  size: number,
  type: DiskSourceType,
  more: Partial<Resource_DiskInfo["source"]> = {},
): Resource {
  return scalar("disk", size, { disk: { source: { type, ...more } } });
}

export const pathDisk = (size: number, root: string): Resource =>
  disk(size, DiskSourceType.PATH, { path: { root } });

export const mountDisk = (size: number, root: string): Resource =>
  disk(size, DiskSourceType.MOUNT, { mount: { root } });

/** The messages added up. */
export const of = (...list: Resource[]): Resources => unwrap(Resources.fromMessages(list));
