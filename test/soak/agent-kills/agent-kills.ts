import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Offer } from "../../../proto/gen/mesos/v1/mesos.js";
import { FrameworkCapability, SchedulerClient } from "../../../sdk/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { type Cluster, getJson, startCluster } from "../../support/cluster.js";
import { ContainerTraces } from "../../support/container-traces.js";
import type { Daemon } from "../../support/daemons.js";
import { eventually } from "../../support/eventually.js";
import { OfferRoom } from "../../support/offer-room.js";
import type { Skippable } from "../../support/require-part.js";
import { processesOf } from "../remains.js";
import { anyDeath, type Death, dieAndComeBack, pause } from "./agent-deaths.js";
import { Helpers } from "./helpers.js";
import { SoakHost, type SoakHostOptions } from "./soak-host.js";
import { oneOf, type SoakLaunch } from "./soak-launch.js";
import { kindsOf } from "./task-kinds.js";
import { TaskLedger } from "./task-ledger.js";

/** `launcher: "linux"` runs tasks in cgroups and namespaces of their own. */
export interface AgentKillsOptions extends SoakHostOptions {
  /** How often the agent is killed. */
  readonly kills: number;
  /** The same seed creates the same tasks and the same waits; how the processes react differs. */
  readonly seed: number;
  /** How often something between the agent and its containers is killed as well: 0 (never) to 1 (each time). */
  readonly helperKills?: number;
  /** Called after each kill. */
  readonly progress?: (text: string) => void;
}

export interface AgentKillsResult {
  readonly tasks: number;
  /** How many tasks ended in each state. */
  readonly ends: Readonly<Record<string, number>>;
  /** What is wrong; empty: nothing. */
  readonly faults: readonly string[];
}

/** Short enough for kills to hit tasks in every phase of their short lives. */
const KILL_WITHIN_MS = 1200;
const PATIENT = 0.8;
const TASKS_AT_ONCE = 8;

interface AgentState {
  readonly frameworks: readonly {
    readonly executors: readonly { readonly id: string; readonly container: string }[];
  }[];
}

/**
 * A master, a scheduler that always has some tasks running, and an agent that is killed over and over, at random moments. At the end, every
 * task must have run once or not at all, its end must have been reported once and correctly, and nothing may be left of any task.
 */
export async function killAgents(options: AgentKillsOptions, test: Skippable): Promise<AgentKillsResult> {
  const soak = new AgentKills(options, await SoakHost.open(options, test));
  try {
    return await soak.run();
  } finally {
    await soak.end();
  }
}

class AgentKills {
  private readonly random: SeededRandom;
  private readonly ledger = new TaskLedger();
  private readonly kinds: ReturnType<typeof kindsOf>;
  private cluster: Cluster | undefined;
  private agent: Daemon | undefined;
  private client: SchedulerClient | undefined;
  private launches = 0;
  private open = 0;
  private stopping = false;
  private next: SoakLaunch | undefined;

  constructor(
    private readonly options: AgentKillsOptions,
    private readonly host: SoakHost,
  ) {
    this.random = new SeededRandom(options.seed);
    this.kinds = kindsOf(options.kinds);
  }

  async run(): Promise<AgentKillsResult> {
    const { kills, progress } = this.options;
    this.cluster = await startCluster({ agentFlags: this.host.agentFlags() });
    this.agent = this.cluster.agents[0]!;
    const traces = await ContainerTraces.of(this.agent, this.host.cgroupRoot);
    const { flags } = (await getJson(this.agent, "/flags")) as { flags: { runtime_dir: string } };
    const helpers = new Helpers(flags.runtime_dir);
    await this.schedule();
    for (let kill = 1; kill <= kills; kill++) {
      // Now and then it dies before it has re-registered.
      if (this.random.next() < PATIENT) await this.registered(this.agent);
      await pause(this.random.next() * KILL_WITHIN_MS);
      const death = await this.killOnce(helpers);
      progress?.(`${kill} times gone, the last ${death}; ${this.ledger.size} tasks`);
    }
    this.stopping = true;
    const ended = () => (this.ledger.unended().length === 0 ? true : undefined);
    await eventually(ended, 60_000).catch(() => undefined);
    const faults = this.ledger.unended().map((task) => `it never ended: ${task}`);
    if (faults.length === 0) faults.push(...this.ledger.faults(await this.timesRun()));
    faults.push(...(await this.remains(traces)));
    return { tasks: this.ledger.size, ends: this.ledger.ends(), faults };
  }

  async end(): Promise<void> {
    await this.client?.teardown().catch(() => undefined);
    await this.agent?.stop();
    await this.cluster?.master.stop();
    await this.host.close();
  }

  private async killOnce(helpers: Helpers): Promise<Death> {
    const { random } = this;
    const death = anyDeath(random);
    const chance = random.next() / (this.options.helperKills ?? 0);
    // It does not answer while it recovers.
    const known = chance < 1 ? await this.executors().catch(() => []) : [];
    const killShim = async (): Promise<void> => {
      const executors = new Map(known.map(({ id, container }) => [container, id]));
      const container = await helpers.killShim(random, executors);
      if (container !== undefined) this.ledger.strike(executors.get(container));
    };
    if (chance < 0.25) await killShim();
    else if (chance < 0.5 && (await helpers.killHelper(this.agent!.process.pid!)))
      this.ledger.strike(undefined);
    const meanwhile = chance >= 0.5 && chance < 1 ? killShim : async () => undefined;
    this.agent = await dieAndComeBack(this.agent!, death, { random, meanwhile });
    return death;
  }

  private async executors(): Promise<readonly { readonly id: string; readonly container: string }[]> {
    const { frameworks } = (await getJson(this.agent!, "/state")) as AgentState;
    return frameworks.flatMap(({ executors }) => executors);
  }

  private async registered(agent: Daemon): Promise<void> {
    const registered = async (): Promise<true | undefined> => {
      const metrics = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
      return metrics["slave/registered"] === 1 ? true : undefined;
    };
    await eventually(registered, 30_000);
  }

  private async schedule(): Promise<void> {
    const capabilities = [FrameworkCapability.PARTITION_AWARE, FrameworkCapability.MULTI_ROLE];
    if (this.random.next() < 0.5) capabilities.push(FrameworkCapability.TASK_KILLING_STATE);
    const client = new SchedulerClient({
      master: `127.0.0.1:${this.cluster!.master.port}`,
      framework: {
        name: "agent-kills",
        roles: ["*"],
        capabilities: capabilities.map((type) => ({ type })),
        checkpoint: true,
        failover_timeout: 3600,
      },
    });
    this.client = client;
    client.on("update", ({ status }) => {
      if (this.ledger.note(status)) this.open--;
    });
    client.on("offers", async ({ offers }) => {
      for (const offer of offers) await this.use(client, offer);
    });
    await client.start();
  }

  private async use(client: SchedulerClient, offer: Offer): Promise<void> {
    const launches: SoakLaunch[] = [];
    const room = new OfferRoom(offer);
    while (!this.stopping && this.open < TASKS_AT_ONCE) {
      this.next ??= this.newLaunch();
      if (!room.take(this.next.resources)) break;
      launches.push(this.next);
      this.open += this.next.tasks.length;
      this.next = undefined;
    }
    if (launches.length === 0) return client.decline(offer, { refuse_seconds: 0.1 });
    const tasks = launches.flatMap((launch) => launch.tasks);
    for (const task of tasks) this.ledger.add(task);
    const { marks, tag } = this.host;
    const operations = launches.flatMap((launch) => launch.operations({ marks, tag }, offer));
    await client.accept(offer, operations, { refuse_seconds: 0.1 });
    for (const { id, killAfterMs } of tasks) {
      if (killAfterMs !== undefined)
        setTimeout(() => void client.kill(id).catch(() => undefined), killAfterMs);
    }
  }

  private newLaunch(): SoakLaunch {
    const { name, kind } = oneOf(this.random, this.kinds);
    return kind(`${name}${this.launches++}`, this.random);
  }

  private async timesRun(): Promise<ReadonlyMap<string, number>> {
    const times = new Map<string, number>();
    for (const id of this.ledger.ids()) {
      const text = await readFile(join(this.host.marks, id), "utf8").catch(() => "");
      times.set(id, text.split("\n").length - 1);
    }
    return times;
  }

  /** What is left although all tasks have ended. */
  private async remains(traces: ContainerTraces): Promise<string[]> {
    const left = async (): Promise<string[]> => [
      ...processesOf(this.host.tag).map((pid) => `process ${pid} of a task is left`),
      ...(await traces.left()).map((trace) => `${trace} is left`),
      ...(await this.host.engineContainers()).map((name) => `container ${name} is left`),
      ...(await this.executors()).map(({ id }) => `executor ${id} is left`),
      ...(await this.believedByMaster()),
    ];
    // What a task left behind may end right after the task's end is reported.
    const nothing = async () => ((await left()).length === 0 ? true : undefined);
    await eventually(nothing, 20_000).catch(() => undefined);
    return left();
  }

  private async believedByMaster(): Promise<string[]> {
    const { slaves } = (await getJson(this.cluster!.master, "/slaves")) as {
      slaves: { used_resources: { cpus: number } }[];
    };
    if (slaves.length !== 1) return [`the master knows ${slaves.length} agents`];
    const { cpus } = slaves[0]!.used_resources;
    return cpus === 0 ? [] : [`the master believes that ${cpus} cpus are used`];
  }
}
