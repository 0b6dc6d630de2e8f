import { type Resource, TaskStatus_Reason, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLimitation } from "../../sdk/contracts/isolator.js";
import type { Cgroup } from "../../sdk/node-cgroup/index.js";
import { formatBytes } from "../../sdk/values/index.js";

const MB = 1024 * 1024;
/** How far below its limit a group can be when an allocation of the kernel on its behalf fails. */
const SLACK = MB;

/**
 * Whether a process of the group was killed for the group's own limit. The kernel counts its kills by the group of their victim, and so
 * also those for want of memory on the whole host: a group that was never near its limit did not exceed it.
 */
export function ranIntoLimit({ memory }: Cgroup): boolean {
  if (memory.oomKills() === 0) return false;
  const limit = memory.limit();
  if (limit === undefined) return false;
  const peak = memory.peak();
  return peak === undefined || peak >= limit - SLACK;
}

/** In Mesos's words, with the figures of the group: it must still be there. */
export function memoryLimitation({ memory }: Cgroup): ContainerLimitation {
  const limit = memory.limit();
  // What is left is all there is to tell where the kernel does not keep the highest (v2 before Linux 5.19).
  const used = memory.peak() ?? memory.usage();
  // No limit is a number next to 2^63, which would be written with fewer digits than it has.
  const statistics = Object.entries(memory.counters()).map(
    ([name, value]) => `${name} ${Number.isInteger(value) ? BigInt(value) : value}\n`,
  );
  return {
    reason: TaskStatus_Reason.REASON_CONTAINER_LIMITATION_MEMORY,
    message:
      `Memory limit exceeded: Requested: ${limit === undefined ? "unlimited" : formatBytes(limit)} ` +
      `Maximum Used: ${formatBytes(used)}\n\nMEMORY STATISTICS: \n${statistics.join("")}\n`,
    limitation: { resources: [memoryResource(used / MB)] },
  };
}

const memoryResource = (megabytes: number): Resource => ({
  name: "mem",
  type: Value_Type.SCALAR,
  scalar: { value: megabytes },
  role: "*",
  reservations: [],
});
