import { isTerminal } from "../../sdk/task-states.js";
import { FORGIVEN_MS } from "./agent-node.js";
import { Cluster } from "./cluster.js";
import { ALL_FAULTS, Faults, type FaultWeights, WIDE_FAULTS } from "./faults.js";
import { disagreements, isOperationOver, isOver, leftovers } from "./invariants/agreement.js";
import { checkLeaders, checkLedger } from "./invariants/ledger.js";
import { checkSandboxes } from "./invariants/sandboxes.js";
import { MUTATION_FAULTS, type Mutation } from "./mutations.js";
import { countImmediates } from "./turns.js";
import { Violation } from "./world.js";

export interface SimulationOptions {
  readonly seed: number;
  readonly steps: number;
  readonly faults?: FaultWeights;
  /** Everything may happen; see the README. */
  readonly wide?: boolean | undefined;
  /** A rule to break. */
  readonly mutation?: Mutation | undefined;
  /** Called with every line of the trace. */
  readonly told?: ((line: string) => void) | undefined;
}

export interface SimulationResult {
  readonly seed: number;
  readonly steps: number;
  /** Digest of everything that happened. */
  readonly digest: string;
  readonly events: number;
  /** Virtual milliseconds. */
  readonly time: number;
  readonly tasks: number;
  readonly failure: Failure | undefined;
}

export interface Failure {
  /** The step during or after which it was noticed; beyond the last step: while everything was to settle. */
  readonly step: number;
  /** A sentence that should be true. */
  readonly invariant: string;
  readonly detail: string;
  /** The last lines. */
  readonly trace: readonly string[];
}

/** Virtual time within which an undisturbed cluster must agree. */
const SETTLE_MS = 30 * 60_000;
/** Every run with this period has a single master, with a registry of its own. */
const EMBEDDED_EVERY = 5;

const LOOK_MS = 5_000;
const RECONCILE_MS = 30_000;

/** One run: a cluster, random events, and the invariants after every step. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, steps } = options;
  const uncount = countImmediates();
  const run = new Run(options);
  let failure: Failure | undefined;
  try {
    await run.disturbed(steps);
    await run.settled();
  } catch (error) {
    const violated = error instanceof Violation;
    failure = {
      step: run.step,
      invariant: violated ? error.invariant : "no part of the simulation throws",
      detail: violated ? error.message : String((error as Error).stack),
      trace: run.cluster.world.lastLines,
    };
  }
  uncount();
  const { world, frameworks } = run.cluster;
  return {
    seed,
    steps,
    digest: world.digest(),
    events: world.events,
    time: world.time,
    tasks: frameworks.reduce((sum, { tasks }) => sum + tasks.size, 0),
    failure,
  };
}

const faultsFor = ({ mutation, wide = false }: SimulationOptions): FaultWeights =>
  (mutation === undefined ? undefined : MUTATION_FAULTS[mutation]) ?? (wide ? WIDE_FAULTS : ALL_FAULTS);

class Run {
  readonly cluster: Cluster;
  step = 0;
  private readonly faults: Faults;

  constructor(options: SimulationOptions) {
    const { seed, told, mutation, wide = false, faults = faultsFor(options) } = options;
    const all = faults === ALL_FAULTS || faults === WIDE_FAULTS;
    const embedded = mutation === undefined && all && seed % EMBEDDED_EVERY === 0;
    const size = { masters: embedded ? 1 : 3, agents: 3, frameworks: 2, zookeepers: 3, embedded, wide };
    this.cluster = new Cluster(seed, size, { told, mutation });
    this.faults = new Faults(this.cluster, faults);
  }

  async disturbed(steps: number): Promise<void> {
    const { cluster } = this;
    const { dice } = cluster.world;
    cluster.start();
    await cluster.world.advance(dice.between(0, 15_000));
    const trouble = dice.between(0.02, 0.3);
    for (this.step = 1; this.step <= steps; this.step++) {
      if (dice.chance(trouble)) this.faults.strike();
      else if (dice.chance(0.05)) cluster.operator.act();
      else if (dice.chance(0.8)) dice.pick(cluster.frameworks)?.act();
      else this.endContainer();
      await cluster.world.advance(dice.exponential(dice.chance(0.1) ? 5000 : 400));
      this.check();
    }
  }

  /** Faults stop, time passes, and everybody comes to the same conclusions. */
  async settled(): Promise<void> {
    const { cluster } = this;
    this.faults.end();
    for (const framework of cluster.frameworks) framework.calm = true;
    await this.until("everybody comes to know the same", () => disagreements(cluster));
    // After this time agents have written down everything they know, including what they could not write before.
    await cluster.world.advance(FORGIVEN_MS);
    cluster.watch.agentsBeginAnew();
    for (const agent of cluster.agents) {
      agent.crash();
      agent.start();
    }
    await this.until("agents that begin anew know the same", () => disagreements(cluster));
    for (const framework of cluster.frameworks) {
      for (const task of framework.open()) framework.kill(task);
      framework.executors.endAll();
    }
    await this.until("everything comes to an end", () => [
      ...disagreements(cluster),
      ...this.open(),
      ...leftovers(cluster),
    ]);
  }

  private open(): string[] {
    const { cluster } = this;
    return cluster.frameworks.flatMap(({ tasks, operations }) =>
      [
        ...[...tasks.values()].filter((task) => !isOver(task, cluster)),
        ...operations.open().filter((operation) => !isOperationOver(operation, cluster)),
      ].map(({ id }) => `${id} has not ended`),
    );
  }

  private async until(invariant: string, problems: () => string[]): Promise<void> {
    const { world, frameworks, operator } = this.cluster;
    const end = world.time + SETTLE_MS;
    let reconciled = 0;
    for (;;) {
      await world.advance(LOOK_MS);
      this.check();
      const found = problems();
      if (found.length === 0) return;
      if (world.time >= end) throw new Violation(invariant, found.join("\n"));
      if (world.time < reconciled + RECONCILE_MS) continue;
      reconciled = world.time;
      operator.reactivateAll();
      operator.endPastFrameworks();
      for (const framework of frameworks) {
        framework.declineAll();
        const tasks = [...framework.tasks.values()].filter(
          // One that has ended may be reported again, because of a power failure.
          ({ acknowledgedEnd, state }) => acknowledgedEnd === undefined || !isTerminal(state),
        );
        if (tasks.length > 0) framework.reconcile(tasks);
        const operations = framework.operations.open();
        if (operations.length > 0) framework.reconcileOperations(operations);
      }
    }
  }

  private check(): void {
    checkLeaders(this.cluster);
    checkLedger(this.cluster);
    checkSandboxes(this.cluster);
    this.cluster.world.check();
  }

  private endContainer(): void {
    const { dice } = this.cluster.world;
    const host = dice.pick(this.cluster.agents)?.containers;
    const container = dice.pick(host?.running ?? []);
    if (container === undefined) return;
    host?.end(container, { exit: { code: dice.chance(0.7) ? 0 : 1, signal: undefined } });
  }
}
