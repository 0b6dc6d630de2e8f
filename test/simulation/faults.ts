import type { AgentNode } from "./agent-node.js";
import type { Cluster } from "./cluster.js";
import type { ExecutorNode } from "./executor-node.js";
import type { FrameworkNode } from "./framework-node.js";
import type { MasterNode } from "./master-node.js";
import { clockError, type SimulatedProcess } from "./process.js";

export type FaultName =
  | "masterCrash"
  | "agentCrash"
  | "powerLoss"
  | "vanish"
  | "reconfigure"
  | "emptyDisk"
  | "frameworkCrash"
  | "zooKeeperCrash"
  | "sessionExpiry"
  | "leaderCut"
  | "partition"
  | "oneWayPartition"
  | "reset"
  | "pause"
  | "executorPause"
  | "clockJump"
  | "slowDisk"
  | "badDisk"
  | "crowdedDisk"
  | "unreadableDisk"
  | "masterDisk"
  | "slowNetwork";

/** Relative frequency of each fault. */
export type FaultWeights = Readonly<Partial<Record<FaultName, number>>>;

export const ALL_FAULTS: FaultWeights = {
  masterCrash: 2,
  agentCrash: 3,
  powerLoss: 0.5,
  frameworkCrash: 2,
  zooKeeperCrash: 1,
  sessionExpiry: 1,
  leaderCut: 0.5,
  partition: 2,
  oneWayPartition: 2,
  reset: 3,
  pause: 2,
  executorPause: 1,
  clockJump: 0.5,
  slowDisk: 1,
  badDisk: 1,
  crowdedDisk: 0.5,
  unreadableDisk: 0.5,
  masterDisk: 2,
  slowNetwork: 0.5,
};

/** The faults of wide runs. */
export const WIDE_FAULTS: FaultWeights = { ...ALL_FAULTS, vanish: 1, reconfigure: 1, emptyDisk: 0.3 };

type Node = MasterNode | AgentNode | FrameworkNode;

/** Mean time until a fault is repaired. Milliseconds. */
const REPAIR_MS = 10_000;

/** Mean time until a connection over a dead link is given up. */
const GIVE_UP_MS = 15_000;

/** Injects faults, and repairs them after some time. */
export class Faults {
  private over = false;
  private readonly weights: FaultWeights;

  constructor(
    private readonly cluster: Cluster,
    weights: FaultWeights,
  ) {
    // Masters that meet at ZooKeeper have nothing on their disks.
    this.weights = cluster.size.embedded ? weights : { ...weights, masterDisk: 0 };
    this.giveUpConnections();
  }

  strike(): void {
    const { world } = this.cluster;
    const name = world.dice.weighted(this.weights);
    world.note(`fault: ${name}`);
    this.faults[name]();
  }

  /** Repairs everything for good. */
  end(): void {
    const { network, nodes, ensemble, agents } = this.cluster;
    this.over = true;
    network.heal();
    network.delay = 2;
    for (const server of ensemble.servers) if (!server.process.alive) ensemble.restart(server);
    for (const node of nodes) {
      node.process?.resume();
      node.start();
    }
    for (const { process } of this.executors) process.resume();
    for (const { disk } of this.cluster.masters) disk.mend();
    for (const { disk } of agents) {
      disk.delay = 1;
      disk.usage = 0;
      disk.unreadable = 0;
      disk.endTrouble();
    }
  }

  private readonly faults: Readonly<Record<FaultName, () => void>> = {
    masterCrash: () => this.crash(this.cluster.masters),
    agentCrash: () => this.crash(this.cluster.agents),
    frameworkCrash: () => this.crash(this.cluster.frameworks),
    powerLoss: () => {
      const agent = this.dice.pick(this.cluster.agents);
      agent?.losePower();
      if (agent !== undefined) this.later(() => agent.start());
    },
    // Nobody hears of its end: connections to it stay open.
    vanish: () => {
      const { agents, frameworks, network } = this.cluster;
      const node = this.dice.pick([...agents, ...frameworks]);
      if (node === undefined) return;
      const { name } = node.host;
      const lines = this.hosts
        .filter((other) => other !== name)
        .flatMap((other) => [`${name}>${other}`, `${other}>${name}`]);
      this.cluster.world.note(`${name} vanishes`);
      for (const line of lines) network.block(...(line.split(">") as [string, string]));
      node.crash();
      this.later(() => {
        for (const line of lines) network.unblock(line);
        node.start();
      });
    },
    reconfigure: () => {
      const agent = this.dice.pick(this.cluster.agents);
      if (agent === undefined) return;
      agent.reconfigure();
      // On a machine that starts over, it may be a new agent.
      if (this.dice.chance(0.2)) agent.losePower();
      this.later(() => agent.start());
    },
    emptyDisk: () => {
      const agent = this.dice.pick(this.cluster.agents);
      if (agent === undefined) return;
      agent.emptyDisk();
      if (this.dice.chance(0.3)) agent.losePower();
      this.later(() => agent.start());
    },
    zooKeeperCrash: () => {
      const { ensemble } = this.cluster;
      const server = this.dice.pick(ensemble.servers.filter(({ process }) => process.alive));
      if (server === undefined) return;
      this.cluster.world.note(`${server.process.name} dies`);
      ensemble.crash(server);
      this.later(() => ensemble.restart(server));
    },
    // It only loses ZooKeeper, for longer than its session lasts; everybody else can still reach it.
    sessionExpiry: () => {
      const node = this.dice.pick(this.cluster.nodes);
      if (node !== undefined) this.cutFromZooKeeper(node, this.dice.between(8_000, 30_000));
    },
    // It may be about to write something when it loses the connection, and write it when another master leads.
    leaderCut: () => {
      const { masters, operator, world } = this.cluster;
      const leader = masters.find(({ life }) => life?.master.leadership().role === "leading");
      if (leader === undefined) return;
      this.cutFromZooKeeper(leader, this.dice.between(10_000, 20_000));
      for (let calls = this.dice.below(4); calls > 0; calls--)
        world.schedule(this.dice.between(0, 8000), () => this.over || operator.act());
    },
    partition: () => this.part(true),
    oneWayPartition: () => this.part(false),
    reset: () => {
      const { network, messages } = this.cluster;
      const { dice } = this;
      if (dice.chance(0.5)) dice.pick([...network.connections])?.break("reset");
      else {
        const pair = dice.pick(messages.pairs().filter(isBetweenMachines));
        if (pair !== undefined) messages.break(...pair);
      }
    },
    pause: () =>
      this.pause(this.dice.pick(this.cluster.nodes.filter(({ process }) => process?.alive))?.process),
    executorPause: () => this.pause(this.dice.pick(this.executors)?.process),
    clockJump: () => {
      const node = this.dice.pick(this.cluster.nodes);
      if (node === undefined) return;
      node.host.clockOffset += clockError(this.dice);
      this.cluster.world.note(`the clock of ${node.name} is off by ${node.host.clockOffset} ms`);
    },
    slowDisk: () => {
      const disk = this.dice.pick(this.cluster.agents)?.disk;
      if (disk === undefined) return;
      disk.delay = this.dice.pick([this.dice.between(50, 1500), this.dice.between(1500, 8000)])!;
      this.later(() => {
        disk.delay = 1;
      });
    },
    badDisk: () => {
      const agent = this.dice.pick(this.cluster.agents);
      if (agent === undefined) return;
      const { disk, name } = agent;
      const stubborn = this.dice.chance(0.3);
      const kind = this.dice.chance(0.5) ? "full" : "broken";
      disk.startTrouble({ kind, chance: this.dice.pick([0.1, 0.5, 1])!, stubborn });
      this.cluster.world.note(`the disk of ${name} is ${kind}`);
      this.later(() => {
        if (stubborn) return;
        this.cluster.world.note(`the disk of ${name} is well`);
        disk.endTrouble();
      });
    },
    // Nearly full: whatever is no longer needed is removed at the next check.
    crowdedDisk: () => {
      const agent = this.dice.pick(this.cluster.agents);
      if (agent === undefined) return;
      this.cluster.world.note(`the disk of ${agent.name} is nearly full`);
      agent.disk.usage = this.dice.between(0.9, 1);
      this.later(() => {
        agent.disk.usage = 0;
      });
    },
    unreadableDisk: () => {
      const agent = this.dice.pick(this.cluster.agents);
      if (agent === undefined) return;
      this.cluster.world.note(`the disk of ${agent.name} cannot be read`);
      agent.disk.unreadable = this.dice.pick([0.001, 0.01, 0.1])!;
      this.later(() => {
        agent.disk.unreadable = 0;
      });
      // Only a starting agent reads. Reading takes longer than messages of its last run stay in transit.
      agent.crash();
      this.cluster.world.schedule(this.dice.between(1000, 5000), () => agent.start());
    },
    // It only has the master's own registry on it.
    masterDisk: () => {
      const disk = this.dice.pick(this.cluster.masters)?.disk;
      if (disk === undefined) return;
      const how = this.dice.weighted({ slow: 1, stuck: 0.5, broken: 1, unreadable: 0.5 });
      this.cluster.world.note(`the disk of the master is ${how}`);
      if (how === "slow") disk.delay = this.dice.between(50, 3000);
      else if (how === "stuck") disk.delay = 100_000;
      else if (how === "broken") disk.refusal = this.dice.pick([0.1, 0.5, 1])!;
      else disk.unreadable = this.dice.pick([0.5, 1])!;
      this.later(() => disk.mend());
    },
    slowNetwork: () => {
      const { network } = this.cluster;
      network.delay = this.dice.between(20, 500);
      this.later(() => {
        network.delay = 2;
      });
    },
  };

  private get dice() {
    return this.cluster.world.dice;
  }

  private cutFromZooKeeper({ host: { name } }: Node, ms: number): void {
    const { ensemble, network, world } = this.cluster;
    const lines = ensemble.servers.flatMap(({ process }) => [
      `${name}>${process.host.name}`,
      `${process.host.name}>${name}`,
    ]);
    world.note(`${name} is cut from ZooKeeper`);
    for (const line of lines) network.block(...(line.split(">") as [string, string]));
    world.schedule(ms, () => {
      for (const line of lines) network.unblock(line);
    });
  }

  private get hosts(): string[] {
    const { nodes, ensemble } = this.cluster;
    return [
      ...nodes.map(({ host }) => host.name),
      ...ensemble.servers.map(({ process }) => process.host.name),
    ];
  }

  private get executors(): ExecutorNode[] {
    return this.cluster.agents.flatMap(({ executors }) => [...executors]);
  }

  private pause(process: SimulatedProcess | undefined): void {
    if (process === undefined || process.paused) return;
    this.cluster.world.note(`${process.name} is stopped`);
    process.pause();
    this.later(() => {
      this.cluster.world.note(`${process.name} goes on`);
      process.resume();
    });
  }

  private crash(nodes: readonly Node[]): void {
    const node = this.dice.pick(nodes);
    if (node === undefined) return;
    node.crash();
    this.later(() => node.start());
  }

  /** Cuts one machine off from some of the others. */
  private part(both: boolean): void {
    const { network, world } = this.cluster;
    const { hosts } = this;
    const one = this.dice.pick(hosts)!;
    const reach = this.dice.pick([0.3, 0.7, 1])!;
    const inward = this.dice.chance(0.5);
    const lines = hosts
      .filter((other) => other !== one && this.dice.chance(reach))
      .flatMap((other) => {
        if (both) return [`${one}>${other}`, `${other}>${one}`];
        return [inward ? `${other}>${one}` : `${one}>${other}`];
      });
    world.note(`dead lines: ${lines.join(" ")}`);
    for (const line of lines) network.block(...(line.split(">") as [string, string]));
    this.later(() => {
      world.note(`lines of ${one} are back`);
      for (const line of lines) network.unblock(line);
    });
  }

  private later(mend: () => void): void {
    this.cluster.world.schedule(this.dice.exponential(REPAIR_MS), () => {
      if (!this.over) mend();
    });
  }

  /** Connections over dead links break in the end. */
  private giveUpConnections(): void {
    const { world, network, messages } = this.cluster;
    if (this.over) return;
    const every = 1000;
    for (const connection of network.stuck()) {
      if (world.dice.chance(every / GIVE_UP_MS)) connection.break("timed out");
    }
    for (const [from, to] of messages.pairs()) {
      if (messages.stuck(from, to) && world.dice.chance(every / GIVE_UP_MS)) messages.break(from, to);
    }
    world.schedule(every, () => this.giveUpConnections());
  }
}

/** Nothing breaks within one machine. */
const isBetweenMachines = ([from, to]: readonly [string, string]): boolean =>
  from.split(":")[0] !== to.split(":")[0];
