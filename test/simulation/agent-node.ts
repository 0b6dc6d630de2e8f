import { isDeepStrictEqual } from "node:util";
import { Agent } from "../../core/agent/agent.js";
import { SavedContainers } from "../../core/agent/containers/saved-containers.js";
import type { AgentOptions } from "../../core/agent/options.js";
import { AgentPaths } from "../../core/agent/paths.js";
import { SavedStateReader } from "../../core/agent/recovery/read-saved-state.js";
import type { SavedAgent } from "../../core/agent/recovery/saved-state.js";
import type { StateFiles } from "../../core/agent/recovery/state-files.js";
import { StandaloneDetector } from "../../plugins/standalone-detector/standalone-detector.js";
import { ZooKeeperDetector } from "../../plugins/zookeeper-election/zookeeper-detector.js";
import type { ContainerLaunch } from "../../sdk/contracts/agent-containers.js";
import type { Election } from "../../sdk/contracts/election.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import type { Random } from "../../sdk/contracts/random.js";
import { isTepuiError, messageOf } from "../../sdk/errors/index.js";
import { Resources } from "../../sdk/resources/index.js";
import { resourceList } from "../../sdk/scheduler/index.js";
import { AGENT_OPTIONS } from "../core/agent/support/agent-bench.js";
import type { Cluster } from "./cluster.js";
import { AGENT_PORT, MASTER_PORT, ZOOKEEPER_PATH } from "./cluster-options.js";
import { ContainerHost, SimulatedContainerizer } from "./containers.js";
import { SimulatedDisk, SimulatedDiskAccess } from "./disk.js";
import { ExecutorNode } from "./executor-node.js";
import { MachineShape } from "./machine-shape.js";
import type { MasterNode } from "./master-node.js";
import { SimulatedTransport } from "./message-network.js";
import { type Host, newHost, SimulatedProcess } from "./process.js";
import { clientOf } from "./zookeeper/client.js";

/** Otherwise the controller, which never has corrections, would be asked ten times a second. */
const OPTIONS: AgentOptions = { ...AGENT_OPTIONS, qosCorrectionInterval: 60_000 };

/** How long after its disk has recovered an agent may still lack records that it could not write. */
export const FORGIVEN_MS = 60_000;

/** One run of an agent's daemon. */
export interface AgentLife {
  readonly process: SimulatedProcess;
  readonly agent: Agent;
  readonly transport: SimulatedTransport;
  readonly disk: SimulatedDiskAccess;
}

/** What an earlier run of the agent left on the disk. */
interface Saved {
  readonly agent: SavedAgent;
  readonly launches: readonly ContainerLaunch[];
  readonly problems: readonly string[];
}

/** The state that an agent recovers from. */
const stateOf = ({ agent: { problems: _told, leftovers: _unused, ...state } }: Saved): object => state;

/** How the agent learns who leads. */
interface Detection {
  readonly election: Election;
  readonly begin: () => void;
}

/** A machine with an agent on it: the real agent, on a disk and with containers that belong to the machine. */
export class AgentNode {
  readonly host: Host;
  readonly endpoint: string;
  readonly disk: SimulatedDisk;
  readonly containers: ContainerHost;
  /** Custom executors that are running, with or without an agent. */
  readonly executors = new Set<ExecutorNode>();
  readonly shape: MachineShape;
  life: AgentLife | undefined;
  /** Id of this run of the agent, or of the last one. */
  agentId: string | undefined;
  /** The disk is being read at startup; no virtual time passes in the meantime. */
  private starting = false;
  /** Port of the next program on this machine that listens. */
  nextPort = 20_000;
  private boots = 1;
  private lives = 0;

  constructor(
    private readonly cluster: Cluster,
    readonly name: string,
    readonly ip: string,
  ) {
    const { world } = cluster;
    this.host = newHost(name, world.dice);
    this.endpoint = `${ip}:${AGENT_PORT}`;
    this.disk = new SimulatedDisk(world);
    this.containers = new ContainerHost(world, name, cluster.containerObserver, (container) =>
      this.executors.add(new ExecutorNode(cluster, this, container)),
    );
    this.shape = new MachineShape(world.dice, cluster.size.wide);
  }

  get process(): SimulatedProcess | undefined {
    return this.life?.process;
  }

  start(): void {
    if (this.life !== undefined || this.starting) return;
    this.starting = true;
    const before = this.disk.readErrors;
    this.read().then(
      (saved) => this.run(saved),
      (error: unknown) => this.unread(error, this.disk.readErrors > before),
    );
  }

  /** The agent does not start. It has to say why, and may only blame an unreadable disk; its supervisor tries again. */
  private unread(error: unknown, failed: boolean): void {
    const { world } = this.cluster;
    const blamed =
      isTepuiError(error) &&
      error.code === "TEPUI_AGENT_RECOVERY_FAILED" &&
      messageOf(error).includes("cannot be read: EIO");
    if (!failed || !blamed) {
      world.violate("an agent comes back", `${this.name}: ${messageOf(error)}`);
      return;
    }
    world.note(`${this.name} does not start: ${messageOf(error)}`);
    world.schedule(world.dice.between(500, 5000), () => {
      this.starting = false;
      this.start();
    });
  }

  /** The daemon dies; containers go on. */
  crash(): void {
    const { life } = this;
    if (life === undefined) return;
    this.cluster.world.note(`${life.process.name} dies`);
    this.agentId = life.agent.state.info.id?.value ?? this.agentId;
    life.disk.crash();
    if (this.disk.hadTrouble(FORGIVEN_MS)) this.cluster.watch.forgets(this);
    life.process.crash();
    this.cluster.messages.detach(life.transport);
    for (const connection of [...this.cluster.network.connections]) connection.abandon(life.process);
    this.life = undefined;
  }

  /** The machine loses power: containers are gone, and so may be whatever was not flushed. */
  losePower(): void {
    this.crash();
    this.cluster.world.note(`${this.name} loses power`);
    this.containers.losePower();
    this.disk.losePower();
    this.boots++;
  }

  /** The agent stops, to restart with other flags: with more or fewer resources. */
  reconfigure(): void {
    this.crash();
    this.shape.change();
    this.cluster.world.note(`${this.name} is to be ${this.shape.text}`);
  }

  /** Somebody empties its directories while it is down, or replaces its disk. What runs on the machine goes on. */
  emptyDisk(): void {
    this.crash();
    const { cluster, agentId } = this;
    cluster.world.note(`the disk of ${this.name} is emptied`);
    cluster.watch.lostPower(this.containers);
    if (agentId !== undefined) cluster.volumes.mayGoWith(agentId);
    for (const container of this.containers.running) container.homeless = true;
    this.disk.replace();
  }

  /** The machine is discarded and replaced by an empty one. */
  private replace(): void {
    this.losePower();
    this.cluster.world.note(`${this.name} is replaced`);
    this.disk.replace();
  }

  private get bootId(): string {
    return `boot-${this.boots}`;
  }

  /** Reads the disk like a starting agent, with the real reader. Files that it could not read must not be taken for something else. */
  private async read(): Promise<Saved> {
    const before = this.disk.readErrors;
    const saved = await this.readFrom(this.disk.files());
    if (this.disk.readErrors === before) return saved;
    const sound = await this.readFrom(this.disk.files(true));
    const told = [...saved.agent.problems, ...saved.problems].filter((problem) => problem.includes("EIO"));
    const isSame =
      isDeepStrictEqual(stateOf(saved), stateOf(sound)) && isDeepStrictEqual(saved.launches, sound.launches);
    if (!isSame && told.length === 0)
      this.cluster.world.violate("what cannot be read is not taken for nothing", this.name);
    return saved;
  }

  private async readFrom(files: StateFiles): Promise<Saved> {
    const now = this.cluster.world.wallTime + this.host.clockOffset;
    const paths = new AgentPaths(OPTIONS.workDir);
    const agent = await new SavedStateReader(paths, { now, strict: true, files }).read(this.bootId);
    const { launches, problems } = await new SavedContainers(paths.savedContainers()).read(files);
    for (const problem of problems) this.cluster.world.note(`${this.name}: ${problem}`);
    return { agent, launches, problems };
  }

  private run({ agent: saved, launches }: Saved): void {
    this.starting = false;
    if (this.disk.trouble?.stubborn === true) this.disk.endTrouble();
    const { world, messages, mutation } = this.cluster;
    const process = new SimulatedProcess(world, this.host, `${this.name}.${++this.lives}`);
    const { clock, logger } = process;
    const random = world.randomFor();
    const { election, begin } = this.cluster.size.embedded
      ? this.told(process, random)
      : this.detector(process, random);
    const transport = new SimulatedTransport(messages, process, this.endpoint);
    const disk = new SimulatedDiskAccess(this.disk, process, mutation);
    const agent = new Agent({
      checkers: new Map(),
      options: { ...OPTIONS, reconfigurationPolicy: this.shape.policy },
      info: {
        hostname: this.name,
        port: AGENT_PORT,
        resources: resourceList(this.shape.resources),
        attributes: this.shape.attributes,
      },
      ip: this.ip,
      containerizers: [new SimulatedContainerizer(this.containers, process, mutation === "no-recovery")],
      election,
      transport,
      estimator: { oversubscribable: async () => Resources.empty },
      qosController: { corrections: async () => [] },
      disk,
      diskUsage: async () => this.disk.usage,
      clock,
      random,
      logger,
      metrics: new MetricsRegistry(clock),
      finished: () => this.end(process),
    });
    this.life = { process, agent, transport, disk };
    world.note(`${process.name} starts`);
    begin();
    agent.recover(saved, this.bootId, launches).then(
      () => {
        if (!process.alive) return;
        this.shape.taken();
        agent.start();
      },
      (error: unknown) => this.failed(process, error),
    );
  }

  /** The only master always leads, and its address is known from the start. */
  private told({ clock, logger }: SimulatedProcess, random: Random): Detection {
    const [{ ip: host }] = this.cluster.masters as [MasterNode];
    const address = { host, port: MASTER_PORT };
    const resolve = async (name: string): Promise<string[]> => [name];
    const election = new StandaloneDetector({ address, resolve, clock, random, logger });
    return { election, begin: () => void election.start() };
  }

  private detector(process: SimulatedProcess, random: Random): Detection {
    const { clock, logger } = process;
    const client = clientOf(this.cluster.ensemble, process, random);
    const election = new ZooKeeperDetector({ client, path: ZOOKEEPER_PATH, clock, logger });
    const begin = (): void => {
      client.start();
      election.start();
    };
    return { election, begin };
  }

  /**
   * It does not come up. It has to say why, and may only blame a failing disk or changed flags, which are then changed back; its supervisor
   * tries again.
   */
  private failed(process: SimulatedProcess, error: unknown): void {
    const { world } = this.cluster;
    const code = isTepuiError(error) ? error.code : undefined;
    const blamed =
      code === "TEPUI_AGENT_DISK_FAILED"
        ? this.disk.hadTrouble(0)
        : code === "TEPUI_AGENT_RECOVERY_FAILED" && this.shape.changeBack();
    if (blamed) {
      world.note(`${process.name} ends: ${messageOf(error)}`);
      this.end(process);
    } else world.violate("an agent comes back", `${process.name}: ${messageOf(error)}`);
  }

  private end(process: SimulatedProcess): void {
    const { world } = this.cluster;
    world.schedule(1, () => {
      if (this.life?.process !== process) return;
      if (this.cluster.operator.isGivenUp(this.life.agent.state.id)) this.replace();
      else this.crash();
      world.schedule(world.dice.between(500, 5000), () => this.start());
    });
  }
}
