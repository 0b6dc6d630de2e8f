import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Offer } from "../../sdk/index.js";
import { SchedulerClient } from "../../sdk/index.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { type Cluster, getJson, startCluster } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { endCgroups } from "../support/end-cgroups.js";
import { eventually } from "../support/eventually.js";
import { OfferRoom } from "../support/offer-room.js";
import { groupsBelow, processesOf } from "./remains.js";
import { anyTask, type SoakTask, TASK_RESOURCES, taskInfo } from "./soak-task.js";
import { TaskLedger } from "./task-ledger.js";

export interface AgentKillsOptions {
  /** How often the agent is killed. */
  readonly kills: number;
  /** The same seed: the same tasks and the same waits; what the processes make of them differs. */
  readonly seed: number;
  /** `linux` runs tasks in control groups and PID namespaces of their own. */
  readonly launcher: "linux" | "posix";
  /** Told after each kill. */
  readonly progress?: (text: string) => void;
}

export interface AgentKillsResult {
  readonly tasks: number;
  /** How many ended in which state. */
  readonly ends: Readonly<Record<string, number>>;
  /** What is wrong; empty: nothing. */
  readonly faults: readonly string[];
}

/** In which a kill hits tasks in every part of their short lives. */
const KILL_WITHIN_MS = 1200;
const AWAY_AT_MOST_MS = 400;
const PATIENT = 0.8;
const TASKS_AT_ONCE = 5;

/**
 * A master, a scheduler that always has some tasks running, and an agent that is killed over and over, at random moments. At the end
 * every task must have run once or not at all, its end must have been told once and truly, and nothing of any may be left.
 */
export async function killAgents(options: AgentKillsOptions): Promise<AgentKillsResult> {
  const soak = new AgentKills(options);
  try {
    return await soak.run();
  } finally {
    await soak.end();
  }
}

class AgentKills {
  private readonly random: SeededRandom;
  private readonly ledger = new TaskLedger();
  private readonly marks = mkdtempSync(join(tmpdir(), "tepui-soak-"));
  /** Names the control groups, and the processes of all tasks. */
  private readonly tag: string;
  private cluster: Cluster | undefined;
  private agent: Daemon | undefined;
  private client: SchedulerClient | undefined;
  private open = 0;
  private stopping = false;

  constructor(private readonly options: AgentKillsOptions) {
    this.random = new SeededRandom(options.seed);
    runs += 1;
    this.tag = `soak-${process.pid}-${runs}`;
  }

  async run(): Promise<AgentKillsResult> {
    const { kills, progress } = this.options;
    this.cluster = await startCluster({ agentFlags: this.agentFlags() });
    this.agent = this.cluster.agents[0]!;
    await this.schedule();
    for (let kill = 1; kill <= kills; kill++) {
      // Now and then it dies before a master knows it again.
      if (this.random.next() < PATIENT) await this.registered(this.agent);
      await pause(this.random.next() * KILL_WITHIN_MS);
      await this.agent.kill();
      await pause(this.random.next() * AWAY_AT_MOST_MS);
      this.agent = await this.agent.restart();
      progress?.(`${kill} kills, ${this.ledger.size} tasks`);
    }
    this.stopping = true;
    const unended = (): string => this.ledger.unended().join(", ");
    await eventually(() => (this.ledger.unended().length === 0 ? true : undefined), 60_000).catch(
      () => undefined,
    );
    const faults = unended() === "" ? [] : [`these tasks never ended: ${unended()}`];
    faults.push(...this.ledger.faults(await this.timesRun()));
    faults.push(...(await this.remains()));
    return { tasks: this.ledger.size, ends: this.ledger.ends(), faults };
  }

  async end(): Promise<void> {
    await this.client?.teardown().catch(() => undefined);
    await this.agent?.stop();
    await this.cluster?.master.stop();
    for (const pid of processesOf(this.tag)) process.kill(pid, "SIGKILL");
    await endCgroups(this.tag);
    rmSync(this.marks, { recursive: true, force: true });
  }

  private async registered(agent: Daemon): Promise<void> {
    const registered = async (): Promise<true | undefined> => {
      const metrics = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
      return metrics["slave/registered"] === 1 ? true : undefined;
    };
    await eventually(registered, 30_000);
  }

  private agentFlags(): string[] {
    if (this.options.launcher === "posix") return ["--launcher=posix"];
    return [
      "--launcher=linux",
      "--isolation=cgroups/cpu,cgroups/mem,filesystem/linux,namespaces/pid",
      `--cgroups_root=${this.tag}`,
    ];
  }

  private async schedule(): Promise<void> {
    const client = new SchedulerClient({
      master: `127.0.0.1:${this.cluster!.master.port}`,
      framework: {
        name: "agent-kills",
        roles: ["*"],
        capabilities: [{ type: 5 }, { type: 6 }],
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
    const tasks: SoakTask[] = [];
    const room = new OfferRoom(offer);
    while (!this.stopping && this.open < TASKS_AT_ONCE && room.take(TASK_RESOURCES)) {
      this.open++;
      tasks.push(this.ledger.add(anyTask(`t${this.ledger.size}`, this.random)));
    }
    if (tasks.length === 0) return client.decline(offer, { refuse_seconds: 0.1 });
    const place = { marks: this.marks, tag: this.tag };
    await client.launch(
      offer,
      tasks.map((task) => taskInfo(task, place)),
      { refuse_seconds: 0.1 },
    );
    for (const { id, killAfterMs } of tasks) {
      if (killAfterMs !== undefined)
        setTimeout(() => void client.kill(id).catch(() => undefined), killAfterMs);
    }
  }

  private async timesRun(): Promise<ReadonlyMap<string, number>> {
    const times = new Map<string, number>();
    for (const id of this.ledger.ids()) {
      const text = await readFile(join(this.marks, id), "utf8").catch(() => "");
      times.set(id, text.split("\n").length - 1);
    }
    return times;
  }

  /** Processes, control groups and executors that are left though all tasks are over. */
  private async remains(): Promise<string[]> {
    const left = async (): Promise<string[]> => {
      const state = (await getJson(this.agent!, "/state")) as {
        frameworks: { executors: { id: string }[] }[];
      };
      return [
        ...processesOf(this.tag).map((pid) => `process ${pid} of a task is left`),
        ...(await groupsBelow(this.tag)).map((group) => `control group ${group} is left`),
        ...state.frameworks.flatMap(({ executors }) => executors).map(({ id }) => `executor ${id} is left`),
      ];
    };
    // What a task left behind ends right after its end is told.
    const nothing = async () => ((await left()).length === 0 ? true : undefined);
    await eventually(nothing, 20_000).catch(() => undefined);
    return left();
  }
}

let runs = 0;

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
