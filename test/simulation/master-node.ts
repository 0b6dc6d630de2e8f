import { Master } from "../../core/master/master.js";
import { masterInfo } from "../../core/master/master-info.js";
import { DrfAllocator } from "../../plugins/drf-allocator/drf-allocator.js";
import { EmbeddedRegistry } from "../../plugins/embedded-registry/embedded-registry.js";
import { StandaloneElection } from "../../plugins/standalone-election/standalone-election.js";
import { ZooKeeperElection } from "../../plugins/zookeeper-election/zookeeper-election.js";
import { ZooKeeperStore } from "../../plugins/zookeeper-registry/zookeeper-store.js";
import type { Election } from "../../sdk/contracts/election.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { Registry } from "../../sdk/contracts/registry.js";
import { RegistryMetrics, SharedRegistry } from "../../sdk/registry/index.js";
import { OPEN_ACCESS, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import type { Cluster } from "./cluster.js";
import { MASTER_PORT, REGISTRY_PATH, ZOOKEEPER_PATH } from "./cluster-options.js";
import { MasterDisk, SimulatedSegments } from "./master-disk.js";
import { SimulatedTransport } from "./message-network.js";
import { type Host, newHost, SimulatedProcess } from "./process.js";
import { clientOf } from "./zookeeper/client.js";

/** One run of a master's daemon. */
export interface MasterLife {
  readonly process: SimulatedProcess;
  readonly master: Master;
  readonly transport: SimulatedTransport;
  /** Number of the term, counted over all masters; 0: not leading. */
  term: number;
  /** Whether it may act in that term, as far as it knows. */
  holds: () => boolean;
  /** What happens to its disk when it dies. */
  readonly died: () => void;
}

/** What a master needs to run. */
interface Ground {
  readonly election: Election;
  readonly registry: Registry;
  readonly begin: () => void;
  readonly died: () => void;
}

/** A machine with a master on it: the real master, allocator, election and registry. */
export class MasterNode {
  readonly host: Host;
  readonly endpoint: string;
  /** Holds its registry, if that is its own. */
  readonly disk: MasterDisk;
  life: MasterLife | undefined;
  private lives = 0;

  constructor(
    private readonly cluster: Cluster,
    readonly name: string,
    readonly ip: string,
  ) {
    this.host = newHost(name, cluster.world.dice);
    this.endpoint = `${ip}:${MASTER_PORT}`;
    this.disk = new MasterDisk(cluster.world);
  }

  get process(): SimulatedProcess | undefined {
    return this.life?.process;
  }

  start(): void {
    if (this.life !== undefined) return;
    const { world, messages } = this.cluster;
    const process = new SimulatedProcess(world, this.host, `${this.name}.${++this.lives}`);
    const { clock, logger } = process;
    const random = world.randomFor();
    const metrics = new MetricsRegistry(clock);
    const { election, registry, begin, died } = this.cluster.size.embedded
      ? this.alone({ process, metrics })
      : this.shared({ process, metrics, random });
    const transport = new SimulatedTransport(messages, process, this.endpoint);
    const master = new Master({
      options: this.cluster.masterOptions,
      clusterName: undefined,
      flags: new Map(),
      clock,
      random,
      logger,
      metrics,
      allocator: this.careless(
        new DrfAllocator({
          clock,
          random,
          metrics,
          allocationInterval: 1000,
          sliceMs: 10,
          roleSorter: "drf",
          frameworkSorter: "drf",
          minAllocatable: [],
          fairSharingExcluded: new Set(),
          filterGpuResources: true,
          domain: undefined,
          patternLimits: { maxMem: 4096, maxProgramSize: 100 },
          agentRecoveryFactor: 0.8,
          recoveryTimeout: 600_000,
        }),
      ),
      registry: this.forgetful(registry),
      election: this.watched(election, process),
      transport,
      failed: () => this.end(process),
    });
    this.life = { process, master, transport, term: 0, holds: () => false, died };
    world.note(`${process.name} starts`);
    begin();
    master.start(masterInfo({ ip: this.ip, port: MASTER_PORT, hostname: this.ip }));
  }

  /** Everything that is not durable is lost. */
  crash(): void {
    const { life } = this;
    if (life === undefined) return;
    this.cluster.world.note(`${life.process.name} dies`);
    life.process.crash();
    life.died();
    this.cluster.messages.detach(life.transport);
    for (const connection of [...this.cluster.network.connections]) connection.abandon(life.process);
    this.life = undefined;
  }

  /** A single master, with its registry on its own disk. */
  private alone({ process, metrics }: { process: SimulatedProcess; metrics: MetricsRegistry }): Ground {
    const { clock, logger } = process;
    const files = new SimulatedSegments(this.disk, process);
    const registry = new EmbeddedRegistry({
      directory: "/srv/registry",
      files,
      takeLock: async () => ({ release: async () => undefined }),
      clock,
      logger,
      metrics: new RegistryMetrics(metrics),
      fetchTimeout: 60_000,
      storeTimeout: 20_000,
      compactionBytes: 2000,
    });
    const election = new StandaloneElection();
    return { election, registry, begin: () => undefined, died: () => files.crash() };
  }

  /** One of several masters, which meet at ZooKeeper. */
  private shared({
    process,
    metrics,
    random,
  }: {
    process: SimulatedProcess;
    metrics: MetricsRegistry;
    random: Random;
  }): Ground {
    const { ensemble } = this.cluster;
    const { clock, logger } = process;
    const client = (): ZooKeeperClient => clientOf(ensemble, process, random);
    const [forElection, forRegistry] = [client(), client()];
    const election = new ZooKeeperElection({
      client: forElection,
      path: ZOOKEEPER_PATH,
      access: OPEN_ACCESS,
      clock,
      logger,
    });
    const registry = new SharedRegistry({
      store: () => new ZooKeeperStore({ client: forRegistry, path: REGISTRY_PATH, access: OPEN_ACCESS }),
      engine: "ZooKeeper",
      url: `zk://ensemble${REGISTRY_PATH}`,
      clock,
      random,
      logger,
      metrics: new RegistryMetrics(metrics),
      fetchTimeout: 60_000,
      storeTimeout: 20_000,
    });
    const begin = (): void => {
      forElection.start();
      forRegistry.start();
      election.start();
    };
    return { election, registry, begin, died: () => undefined };
  }

  /** The daemon exits, and its supervisor restarts it. */
  private end(process: SimulatedProcess): void {
    if (this.life?.process !== process) return;
    this.cluster.world.schedule(1, () => {
      if (this.life?.process !== process) return;
      this.crash();
      this.cluster.world.schedule(this.cluster.world.dice.between(500, 5000), () => {
        if (this.life === undefined) this.start();
      });
    });
  }

  /** A mutation: the registry does not return everything that was written. */
  private forgetful(registry: Registry): Registry {
    const { mutation } = this.cluster;
    if (mutation !== "forgotten-agents" && mutation !== "forgotten-plans") return registry;
    return {
      apply: (operation) => registry.apply(operation),
      async recover(master, tenure) {
        const state = await registry.recover(master, tenure);
        if (mutation === "forgotten-plans")
          return { ...state, machines: undefined, schedules: [], quota_configs: [] };
        const slaves = state.slaves?.slaves.map((slave) => ({ ...slave, deactivated: false })) ?? [];
        return { ...state, slaves: { slaves } };
      },
    };
  }

  /** A mutation: the allocator receives no limits. */
  private careless(allocator: DrfAllocator): DrfAllocator {
    if (this.cluster.mutation === "no-limits") allocator.updateQuota = () => undefined;
    return allocator;
  }

  /** Counts the terms. */
  private watched(election: Election, process: SimulatedProcess): Election {
    return {
      watch: (changed) => election.watch(changed),
      contend: (info, candidacy) =>
        election.contend(info, {
          elected: (tenure) => {
            if (this.life?.process === process) {
              this.life.term = this.cluster.terms.begin(process.name);
              this.life.holds = () => tenure?.holds() !== false;
            }
            candidacy.elected(this.cluster.mutation === "no-lease-check" ? undefined : tenure);
          },
          lost: (reason) => {
            if (this.life?.process === process) {
              this.life.term = 0;
              this.life.holds = () => false;
            }
            candidacy.lost(reason);
          },
        }),
    };
  }
}
