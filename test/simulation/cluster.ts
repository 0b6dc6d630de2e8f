import type { MasterOptions } from "../../core/master/options.js";
import { AgentNode } from "./agent-node.js";
import { MASTER_OPTIONS, REGISTRY_PATH, variedMasterOptions } from "./cluster-options.js";
import type { ContainerObserver } from "./containers.js";
import { FrameworkNode, type TaskRecord } from "./framework-node.js";
import { Terms } from "./invariants/terms.js";
import { Volumes } from "./invariants/volumes.js";
import { Watch } from "./invariants/watch.js";
import { MasterNode } from "./master-node.js";
import { MessageNetwork } from "./message-network.js";
import type { Mutation } from "./mutations.js";
import { Network } from "./network.js";
import { OperatorNode } from "./operator-node.js";
import { World } from "./world.js";
import { Ensemble } from "./zookeeper/ensemble.js";

export interface ClusterSize {
  readonly masters: number;
  readonly agents: number;
  readonly frameworks: number;
  readonly zookeepers: number;
  /** A single master has its registry on its own disk, and nobody needs ZooKeeper. */
  readonly embedded: boolean;
  /** Everything may happen; see the README. */
  readonly wide: boolean;
}

export interface ClusterSurroundings {
  readonly told?: ((line: string) => void) | undefined;
  readonly mutation?: Mutation | undefined;
}

/** Everything of one run. */
export class Cluster {
  readonly world: World;
  readonly network: Network;
  readonly messages: MessageNetwork;
  readonly ensemble: Ensemble;
  readonly terms: Terms;
  readonly watch: Watch;
  readonly volumes = new Volumes();
  readonly containerObserver: ContainerObserver;
  readonly masters: readonly MasterNode[];
  readonly agents: readonly AgentNode[];
  readonly frameworks: readonly FrameworkNode[];
  readonly operator: OperatorNode;

  readonly mutation: Mutation | undefined;
  readonly masterOptions: MasterOptions;

  constructor(
    seed: number,
    readonly size: ClusterSize,
    { told, mutation }: ClusterSurroundings,
  ) {
    this.mutation = mutation;
    this.world = new World(seed, told);
    this.network = new Network(this.world);
    this.messages = new MessageNetwork(this.network, { mutation, resets: size.wide });
    this.ensemble = new Ensemble(this.world, this.network, {
      count: size.zookeepers,
      fencing: mutation !== "no-fencing",
      written: (by, changes) => {
        if (changes.some(({ path }) => path === REGISTRY_PATH)) this.terms.wrote(by.name);
      },
    });
    this.masterOptions = size.wide ? variedMasterOptions(this.world.dice) : MASTER_OPTIONS;
    this.terms = new Terms(this.world);
    this.watch = new Watch(this);
    this.containerObserver = this.watch;
    this.masters = many(size.masters, (n) => new MasterNode(this, `m${n}`, `10.0.0.${n}`));
    this.agents = many(size.agents, (n) => new AgentNode(this, `a${n}`, `10.0.1.${n}`));
    this.frameworks = many(size.frameworks, (n) => new FrameworkNode(this, `f${n}`));
    this.operator = new OperatorNode(this);
    this.watch.start();
  }

  get nodes(): readonly (MasterNode | AgentNode | FrameworkNode)[] {
    return [...this.masters, ...this.agents, ...this.frameworks];
  }

  /** The tasks that were launched as this framework; undefined: there never was one with this id. */
  tasksOf(frameworkId: string): ReadonlyMap<string, TaskRecord> | undefined {
    for (const { id, tasks, past } of this.frameworks) {
      const found = id === frameworkId ? tasks : past.get(frameworkId);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }
}

const many = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i + 1));
