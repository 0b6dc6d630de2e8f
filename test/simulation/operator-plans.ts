import type { Schedule } from "../../proto/gen/mesos/v1/maintenance/maintenance.js";
import type { MachineID } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import type { AgentNode } from "./agent-node.js";
import type { Cluster } from "./cluster.js";
import { type Answer, callLeader } from "./leader-call.js";
import type { MasterLife } from "./master-node.js";
import type { SimulatedProcess } from "./process.js";

/** The role whose quota is set. */
export const QUOTA_ROLE = "work";

/** After this time no master is still working on an earlier request. Milliseconds. */
const CERTAIN_MS = 60_000;

const NANOSECONDS = 1_000_000n;

/** What an operator plans for the whole cluster: machine maintenance and quotas. One request at a time. */
export class OperatorPlans {
  /** Machines that are scheduled or down, according to the masters; undefined: unknown. */
  private scheduled: ReadonlySet<string> | undefined = new Set();
  private down: ReadonlySet<string> | undefined = new Set();
  /** Limits of the role; undefined: unknown. */
  private limits: string | undefined = "";
  private busy = false;
  /** Time of the last request, in the world's time. */
  private askedAt = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly process: SimulatedProcess,
    /** The agents of a machine are about to be forgotten. */
    private readonly forgotten: (agentId: string) => void,
  ) {}

  /** Does something that an operator might do now. */
  act(leader: MasterLife): void {
    const { dice } = this.cluster.world;
    if (this.busy) return;
    this.look(leader);
    switch (dice.weighted({ quota: 2, noQuota: 1, schedule: 2, down: 1, up: 2 })) {
      case "quota":
        this.setLimits(leader, { cpus: 1 + dice.below(12), mem: 512 * (1 + dice.below(12)) });
        break;
      case "noQuota":
        this.setLimits(leader, {});
        break;
      case "schedule":
        this.schedule(leader, this.someMachines());
        break;
      case "down": {
        const name = dice.pick([...(this.scheduled ?? [])]);
        if (name !== undefined && this.down?.has(name) === false) this.bringDown(leader, name);
        break;
      }
      case "up": {
        const name = dice.pick([...(this.down ?? [])]);
        if (name !== undefined) this.bringUp(leader, [name]);
        break;
      }
    }
  }

  /** Ends all plans. */
  end(leader: MasterLife): void {
    const { master } = leader;
    if (this.busy) return;
    const down = master.maintenanceStatus().down_machines.flatMap(({ hostname }) => hostname ?? []);
    if (down.length > 0) this.bringUp(leader, down);
    else if (master.maintenanceSchedule().windows.length > 0) this.schedule(leader, []);
    else if (limitsOf(leader) !== "") this.setLimits(leader, {});
  }

  /** A request that nobody answered is done by now, or never will be. */
  private look({ master }: MasterLife): void {
    if (this.cluster.world.time < this.askedAt + CERTAIN_MS) return;
    const windows = master.maintenanceSchedule().windows;
    this.scheduled ??= new Set(windows.flatMap(({ machine_ids: ids }) => ids.map(nameOf)));
    this.down ??= new Set(master.maintenanceStatus().down_machines.map(nameOf));
  }

  /** What the leading master should know but does not; undefined: nothing. */
  problem(leader: MasterLife): string | undefined {
    const { scheduled, down, limits } = this;
    const { master } = leader;
    if (limits !== undefined && limitsOf(leader) !== limits)
      return `the limits of ${QUOTA_ROLE} are '${limitsOf(leader)}', and were set to '${limits}'`;
    const windows = master.maintenanceSchedule().windows.flatMap(({ machine_ids }) => machine_ids);
    const planned = namesOf(windows);
    if (scheduled !== undefined && planned !== [...scheduled].sort().join(" "))
      return `maintenance is scheduled for '${planned}', and was for '${[...scheduled].sort().join(" ")}'`;
    const out = namesOf(master.maintenanceStatus().down_machines);
    if (down !== undefined && out !== [...down].sort().join(" "))
      return `machines '${out}' are down, and '${[...down].sort().join(" ")}' were brought down`;
    for (const { info } of master.view.agents())
      if (info.hostname !== undefined && down?.has(info.hostname) === true)
        return `${info.hostname} is down, and has an agent`;
    return undefined;
  }

  private someMachines(): string[] {
    const { cluster, down } = this;
    const { dice } = cluster.world;
    return cluster.agents
      .filter(({ name }) => down?.has(name) === true || dice.chance(0.5))
      .map(({ name }) => name);
  }

  private setLimits(leader: MasterLife, amounts: Readonly<Record<string, number>>): void {
    const limits = Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, { value }]));
    const config: QuotaConfig = { role: QUOTA_ROLE, guarantees: {}, limits };
    const force = this.cluster.world.dice.chance(0.7);
    const before = this.limits;
    this.limits = undefined;
    this.ask(leader, `limits '${textOf(limits)}'`, {
      perform: () => leader.master.updateQuota({ configs: [config], force }),
      answered: (answer) => {
        this.limits = settled(answer, textOf(limits), before);
      },
    });
  }

  private schedule(leader: MasterLife, names: readonly string[]): void {
    const { world } = this.cluster;
    const schedule: Schedule = {
      windows: names.map((name) => ({
        machine_ids: [{ hostname: name, ip: this.machine(name)?.ip }],
        unavailability: {
          start: {
            nanoseconds: BigInt(Math.round(world.wallTime + world.dice.below(120_000))) * NANOSECONDS,
          },
        },
      })),
    };
    const before = this.scheduled;
    this.scheduled = undefined;
    this.ask(leader, `maintenance of '${names.join(" ")}'`, {
      perform: () => leader.master.updateMaintenanceSchedule(schedule),
      answered: (answer) => {
        this.scheduled = settled(answer, new Set(names), before);
      },
    });
  }

  private bringDown(leader: MasterLife, name: string): void {
    const before = this.down;
    this.down = undefined;
    const node = this.machine(name);
    const forget = (): void => {
      const ids = [node?.agentId, node?.life?.agent.state.info.id?.value];
      for (const id of ids) if (id !== undefined) this.forgotten(id);
    };
    forget();
    this.ask(leader, `${name} down`, {
      perform: () => leader.master.startMaintenance([{ hostname: name, ip: node?.ip }]),
      answered: (answer) => {
        this.down = settled(answer, before && new Set([...before, name]), before);
        // Includes requests made in the meantime.
        forget();
      },
    });
  }

  private bringUp(leader: MasterLife, names: readonly string[]): void {
    const without = (set: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined =>
      set && new Set([...set].filter((one) => !names.includes(one)));
    const { down, scheduled } = this;
    this.down = undefined;
    this.scheduled = undefined;
    const machines = names.map((hostname) => ({ hostname, ip: this.machine(hostname)?.ip }));
    this.ask(leader, `${names.join(" ")} up`, {
      perform: () => leader.master.stopMaintenance(machines),
      answered: (answer) => {
        // A machine that is up again is no longer scheduled.
        this.down = settled(answer, without(down), down);
        this.scheduled = settled(answer, without(scheduled), scheduled);
      },
    });
  }

  private machine(name: string): AgentNode | undefined {
    return this.cluster.agents.find((agent) => agent.name === name);
  }

  private ask(
    leader: MasterLife,
    text: string,
    { perform, answered }: { perform: () => Promise<void>; answered: (answer: Answer) => void },
  ): void {
    this.busy = true;
    this.askedAt = this.cluster.world.time;
    callLeader(this.cluster, {
      client: this.process,
      leader,
      text,
      perform,
      answered: (answer) => {
        this.busy = false;
        answered(answer);
      },
    });
  }
}

const settled = <T>(answer: Answer, done: T | undefined, before: T | undefined): T | undefined =>
  answer === "done" ? done : answer === "refused" ? before : undefined;

const namesOf = (machines: readonly MachineID[]): string => machines.map(nameOf).sort().join(" ");

const nameOf = ({ hostname }: MachineID): string => hostname ?? "";

const textOf = (limits: QuotaConfig["limits"]): string =>
  Object.entries(limits)
    .map(([name, { value }]) => `${name}:${value}`)
    .sort()
    .join(" ");

const limitsOf = ({ master }: MasterLife): string =>
  textOf(master.quotas().find(({ role }) => role === QUOTA_ROLE)?.limits ?? {});
