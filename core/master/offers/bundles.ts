import { type Resource, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { convertResource, Resources, type Result, success } from "../../../sdk/resources/index.js";

/** Resources of a call, allocated to a role, in both forms. Shared by everybody who asks for the same, so never changed. */
export interface Bundle {
  readonly messages: Resource[];
  readonly resources: Resources;
}

/** A scheduler's tasks ask for few different sets of resources. */
const MAX_KNOWN = 1024;

/** Reads the resources of tasks and executors. Plain scalars, the most common kind, are read once and then shared. */
export class Bundles {
  private readonly known = new Map<string, Bundle>();

  /** The resources, allocated to the role unless the scheduler named one; or what is wrong with them. */
  read(messages: readonly Resource[], role: string): Result<Bundle> {
    const key = keyOf(messages, role);
    const known = key === undefined ? undefined : this.known.get(key);
    if (known !== undefined) return success(known);
    const read = Resources.fromMessages(messages);
    if (!read.ok) return read;
    const bundle = {
      messages: messages.map((message) => allocated(message, role)),
      resources: read.value.mapEntries((entry) =>
        entry.kind.allocationRole === undefined ? entry.withKind(entry.kind.allocated(role)) : entry,
      ),
    };
    if (key !== undefined) {
      if (this.known.size >= MAX_KNOWN) this.known.clear();
      this.known.set(key, bundle);
    }
    return success(bundle);
  }
}

/** Equal for lists with the same meaning; undefined for anything but plain scalars. */
function keyOf(messages: readonly Resource[], role: string): string | undefined {
  let key = role;
  for (const message of messages) {
    const { name = "", type, scalar, allocation_info: allocation } = message;
    if (type !== Value_Type.SCALAR || !isPlain(message)) return undefined;
    key += ` ${name.length}:${name} ${scalar?.value} ${allocation === undefined ? "" : `@${allocation.role}`}`;
  }
  return key;
}

function isPlain(message: Resource): boolean {
  return (
    message.role === undefined &&
    message.reservation === undefined &&
    message.reservations.length === 0 &&
    message.disk === undefined &&
    message.revocable === undefined &&
    message.shared === undefined &&
    message.provider_id === undefined &&
    message.ranges === undefined &&
    message.set === undefined
  );
}

function allocated(message: Resource, role: string): Resource {
  const upToDate = message.role === undefined && message.reservation === undefined;
  if (upToDate && message.allocation_info?.role !== undefined) return message;
  const copy = convertResource(message, "post-refinement");
  if (copy.allocation_info?.role === undefined) copy.allocation_info = { role };
  return copy;
}
