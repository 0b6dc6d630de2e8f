import type {
  ClusterStatus,
  ClusterStatus_DrainingMachine,
  Schedule,
} from "../../../proto/gen/mesos/v1/maintenance/maintenance.js";
import {
  type MachineID,
  MachineInfo_Mode as Mode,
  Unavailability,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { RegistryOperation } from "../../../sdk/contracts/registry.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { Agent } from "../agents/agent.js";
import type { Agents } from "../agents/agents.js";
import type { MasterContext } from "../context.js";
import type { Offers } from "../offers/offers.js";
import { validateMachines, validateSchedule } from "../validation/maintenance.js";

/** Maintenance of machines, which operators schedule, start and stop. Frameworks learn of it from offers and inverse offers. */
export class Maintenance {
  /** Resolves when the last requested change is done, whatever its outcome. */
  private before: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly agents: Agents,
  ) {}

  schedule(): Schedule {
    return this.context.cluster.machines.schedule;
  }

  update(schedule: Schedule): Promise<void> {
    return this.inTurn(async () => {
      check(validateSchedule(schedule, this.context.cluster.machines));
      await this.apply({ kind: "update-maintenance-schedule", schedule });
      this.tellUnavailabilities();
    });
  }

  /** The agents there are told to shut down, and removed with everything that runs on them. */
  start(machines: readonly MachineID[]): Promise<void> {
    return this.inTurn(() => this.bringDown(machines));
  }

  private async bringDown(machines: readonly MachineID[]): Promise<void> {
    const { cluster } = this.context;
    check(validateMachines(machines, cluster.machines, Mode.DRAINING));
    await this.apply({ kind: "start-maintenance", machines });
    const doomed = machines.flatMap((id) => [...cluster.machines.agentsOn(id)]);
    await Promise.all(doomed.map((agent) => this.agents.vacate(agent)));
  }

  /** Agents may register from there again. */
  stop(machines: readonly MachineID[]): Promise<void> {
    return this.inTurn(async () => {
      check(validateMachines(machines, this.context.cluster.machines, Mode.DOWN));
      await this.apply({ kind: "stop-maintenance", machines });
      this.tellUnavailabilities();
    });
  }

  /** Makes one change at a time, so that what was checked still holds when it is written. */
  private inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.before.then(change);
    this.before = done.catch(() => undefined);
    return done;
  }

  /** Only includes the answers to inverse offers that this master received. */
  status(): ClusterStatus {
    const { allocator, cluster } = this.context;
    const answers = allocator.inverseOfferStatuses();
    const draining: ClusterStatus_DrainingMachine[] = [];
    const down: MachineID[] = [];
    for (const { id = {}, mode } of cluster.machines.infos()) {
      if (mode === Mode.DOWN) {
        down.push(id);
        continue;
      }
      const agents = [...cluster.machines.agentsOn(id)];
      draining.push({
        id,
        statuses: agents.flatMap((agent) => [...(answers.get(agent.id)?.values() ?? [])]),
      });
    }
    return { draining_machines: draining, down_machines: down };
  }

  private async apply(operation: RegistryOperation): Promise<void> {
    await this.context.registry.apply(operation);
    this.context.cluster.machines.apply(operation);
    this.context.logger.info({ kind: operation.kind }, "Changed the maintenance of machines");
  }

  private tellUnavailabilities(): void {
    for (const agent of this.context.cluster.agents.values()) this.tellUnavailability(agent);
  }

  /** Earlier offers and inverse offers were made for another schedule. */
  private tellUnavailability(agent: Agent): void {
    const unavailability = this.context.cluster.machines.unavailabilityOf(agent.machineId);
    if (bytes(unavailability) === bytes(agent.unavailability)) return;
    agent.unavailability = unavailability;
    this.offers.rescindAllOf(agent);
    this.offers.inverse.rescindAll(agent.inverseOffers);
    this.context.allocator.updateUnavailability(agent.id, unavailability);
  }
}

const bytes = (unavailability: Unavailability | undefined): string =>
  unavailability === undefined
    ? "none"
    : Buffer.from(Unavailability.encode(unavailability).finish()).toString("latin1");

function check(problem: string | undefined): void {
  if (problem !== undefined) throw new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail: problem });
}
