import { isIPv4 } from "node:net";
import { MachineID as MachineIdCodec } from "../../../proto/gen/json/mesos/v1/mesos.js";
import type { Schedule } from "../../../proto/gen/mesos/v1/maintenance/maintenance.js";
import { type MachineID, MachineInfo_Mode as Mode } from "../../../proto/gen/mesos/v1/mesos.js";
import { machineKey } from "../../../sdk/registry/index.js";
import type { Machines } from "../operator/machines.js";

// The texts are those of src/master/maintenance.cpp and src/master/http.cpp of Mesos, because tools show them to people.

const text = (id: MachineID): string => `Machine '${MachineIdCodec.json.write(id)}'`;

/** What is wrong with a new schedule; undefined for a valid one. */
export function validateSchedule(schedule: Schedule, machines: Machines): string | undefined {
  const seen = new Set<string>();
  for (const { machine_ids: ids, unavailability } of schedule.windows) {
    if (ids.length === 0) return "List of machines in the maintenance window is empty";
    if ((unavailability?.duration?.nanoseconds ?? 0n) < 0n) return "Unavailability 'duration' is negative";
    const problem = problemOf(ids, seen);
    if (problem !== undefined) return problem;
  }
  for (const { id = {}, mode } of machines.infos()) {
    if (mode === Mode.DOWN && !seen.has(machineKey(id))) {
      return `${text(id)} is deactivated and cannot be removed from the schedule`;
    }
  }
  return undefined;
}

/** Checks machines that are to change from one mode to another. */
export function validateMachines(
  ids: readonly MachineID[],
  machines: Machines,
  from: Mode.DRAINING | Mode.DOWN,
): string | undefined {
  if (ids.length === 0) return "List of machines is empty";
  const problem = problemOf(ids, new Set());
  if (problem !== undefined) return problem;
  for (const id of ids) {
    const mode = machines.modeOf(id);
    if (mode === undefined) return `${text(id)} is not part of a maintenance schedule`;
    if (mode === from) continue;
    const way = from === Mode.DRAINING ? "down" : "up";
    return `${text(id)} is not in ${Mode[from]} mode and cannot be brought ${way}`;
  }
  return undefined;
}

function problemOf(ids: readonly MachineID[], seen: Set<string>): string | undefined {
  for (const id of ids) {
    const { hostname = "", ip = "" } = id;
    if (hostname === "" && ip === "") return "Both 'hostname' and 'ip' for a machine are empty";
    if (ip !== "" && !isIPv4(ip)) return `Failed to parse IPv4: ${ip}`;
    const key = machineKey(id);
    if (seen.has(key)) return `${text(id)} appears more than once in the schedule`;
    seen.add(key);
  }
  return undefined;
}
