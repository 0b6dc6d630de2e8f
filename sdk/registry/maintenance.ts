import { Registry, type Registry_Machine } from "../../proto/gen/mesos/internal/registry.js";
import type { Schedule } from "../../proto/gen/mesos/v1/maintenance/maintenance.js";
import { type MachineID, MachineInfo_Mode as Mode } from "../../proto/gen/mesos/v1/mesos.js";
import type { RegistryFacts } from "./registry-facts.js";

/** Equal keys mean the same machine: host names are case-insensitive. */
export const machineKey = ({ hostname, ip }: MachineID): string =>
  JSON.stringify([hostname?.toLowerCase() ?? null, ip ?? null]);

/** The schedule in force. Registries can hold several; only the first is used. */
export const scheduleOf = ({ schedules }: { readonly schedules: readonly Schedule[] }): Schedule =>
  schedules[0] ?? { windows: [] };

/** The schedule without these machines, and without windows that have no machines left. */
function withoutMachines({ windows }: Schedule, keys: ReadonlySet<string>): Schedule {
  const left = windows.map((window) => ({
    ...window,
    machine_ids: window.machine_ids.filter((id) => !keys.has(machineKey(id))),
  }));
  return { windows: left.filter(({ machine_ids: ids }) => ids.length > 0) };
}

export function updateSchedule(facts: RegistryFacts, schedule: Schedule): boolean {
  const before = machinesOf(facts);
  const known = new Map(before.map((machine) => [machineKey(machine.info?.id ?? {}), machine]));
  const machines: Registry_Machine[] = [];
  for (const { machine_ids: ids, unavailability } of schedule.windows) {
    for (const id of ids) {
      const info = known.get(machineKey(id))?.info ?? { id, mode: Mode.DRAINING };
      machines.push({ info: { ...info, unavailability } });
    }
  }
  return replace(facts, machines, schedule);
}

export function startMaintenance(facts: RegistryFacts, ids: readonly MachineID[]): boolean {
  const keys = new Set(ids.map(machineKey));
  const machines = machinesOf(facts).map(({ info }) =>
    keys.has(machineKey(info?.id ?? {})) ? { info: { ...info, mode: Mode.DOWN } } : { info },
  );
  return replace(facts, machines, scheduleOf(facts.rest));
}

export function stopMaintenance(facts: RegistryFacts, ids: readonly MachineID[]): boolean {
  const keys = new Set(ids.map(machineKey));
  const machines = machinesOf(facts).filter(({ info }) => !keys.has(machineKey(info?.id ?? {})));
  return replace(facts, machines, withoutMachines(scheduleOf(facts.rest), keys));
}

const machinesOf = ({ rest }: RegistryFacts): readonly Registry_Machine[] => rest.machines?.machines ?? [];

/** Replaces what differs, and returns whether anything did. */
function replace(facts: RegistryFacts, machines: Registry_Machine[], schedule: Schedule): boolean {
  const next = {
    ...facts.rest,
    machines: machines.length === 0 ? undefined : { machines },
    schedules: schedule.windows.length === 0 ? [] : [schedule],
  };
  const same = bytes(facts.rest) === bytes(next);
  if (!same) facts.rest = next;
  return !same;
}

const bytes = (rest: RegistryFacts["rest"]): string =>
  Buffer.from(
    Registry.encode(Registry.fromPartial({ machines: rest.machines, schedules: rest.schedules })).finish(),
  ).toString("latin1");
