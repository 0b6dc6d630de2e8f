import type { Registry as RegistryState } from "../../../proto/gen/mesos/internal/registry.js";
import type { Schedule } from "../../../proto/gen/mesos/v1/maintenance/maintenance.js";
import {
  type MachineID,
  type MachineInfo,
  MachineInfo_Mode as Mode,
  type Unavailability,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { RegistryOperation } from "../../../sdk/contracts/registry.js";
import { applyOperation, emptyFacts, machineKey, scheduleOf } from "../../../sdk/registry/index.js";
import type { Agent } from "../agents/agent.js";
import { getOrAdd } from "../get-or-add.js";

/**
 * The machines of the cluster: when maintenance is scheduled, which are down, and which agents run on each. What the registry says about
 * them is changed here by the same operations that change it there.
 */
export class Machines {
  private readonly facts = emptyFacts();
  private planned: ReadonlyMap<string, MachineInfo> = new Map();
  private readonly agents = new Map<string, Set<Agent>>();

  restore({ machines, schedules }: RegistryState): void {
    this.facts.rest = { ...this.facts.rest, machines, schedules };
    this.index();
  }

  apply(operation: RegistryOperation): void {
    applyOperation(this.facts, operation);
    this.index();
  }

  private index(): void {
    const infos = this.facts.rest.machines?.machines ?? [];
    this.planned = new Map(infos.map(({ info = {} }) => [machineKey(info.id ?? {}), info]));
  }

  get schedule(): Schedule {
    return scheduleOf(this.facts.rest);
  }

  /** Machines that are scheduled or down. */
  infos(): Iterable<MachineInfo> {
    return this.planned.values();
  }

  /** Undefined for a machine that is not scheduled and has no agent. */
  modeOf(id: MachineID): Mode | undefined {
    const key = machineKey(id);
    return this.planned.get(key)?.mode ?? (this.agents.has(key) ? Mode.UP : undefined);
  }

  isDown(id: MachineID): boolean {
    return this.modeOf(id) === Mode.DOWN;
  }

  unavailabilityOf(id: MachineID): Unavailability | undefined {
    return this.planned.get(machineKey(id))?.unavailability;
  }

  add(agent: Agent): void {
    getOrAdd(this.agents, machineKey(agent.machineId), () => new Set<Agent>()).add(agent);
  }

  remove(agent: Agent): void {
    const key = machineKey(agent.machineId);
    const agents = this.agents.get(key);
    if (agents?.delete(agent) && agents.size === 0) this.agents.delete(key);
  }

  agentsOn(id: MachineID): Iterable<Agent> {
    return this.agents.get(machineKey(id)) ?? [];
  }
}
