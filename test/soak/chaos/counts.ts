import { getJson } from "../../support/cluster.js";
import type { Daemon } from "../../support/daemons.js";

interface Named {
  readonly id: string;
  readonly state: string;
}

interface MasterState {
  readonly slaves: readonly {
    readonly active: boolean;
    readonly used_resources: { readonly cpus: number };
  }[];
  readonly frameworks: readonly {
    readonly active: boolean;
    readonly connected: boolean;
    readonly tasks: readonly Named[];
    readonly unreachable_tasks: readonly Named[];
  }[];
}

interface AgentState {
  readonly frameworks: readonly {
    readonly executors: readonly {
      readonly tasks: readonly Named[];
      readonly queued_tasks: readonly Named[];
    }[];
  }[];
}

/** What one side believes: tasks as `id state`, sorted. */
export interface Counts {
  readonly tasks: readonly string[];
  /** The value of `tasks_running`. */
  readonly metric: number;
}

export interface MasterCounts extends Counts {
  readonly agents: number;
  readonly frameworks: number;
  readonly usedCpus: number;
}

const said = (tasks: readonly Named[]): string[] => tasks.map(({ id, state }) => `${id} ${state}`).sort();

/** The one leading master; undefined: none, or several claim to lead. */
export async function leaderAmong(masters: readonly Daemon[]): Promise<Daemon | undefined> {
  const leading: Daemon[] = [];
  for (const master of masters) {
    const answer = await fetch(`http://127.0.0.1:${master.port}/master/state-summary`, {
      redirect: "manual",
      signal: AbortSignal.timeout(5000),
    });
    await answer.arrayBuffer();
    if (answer.status === 200) leading.push(master);
  }
  return leading.length === 1 ? leading[0] : undefined;
}

export async function masterCounts(master: Daemon): Promise<MasterCounts> {
  const [state, metrics] = (await Promise.all([
    getJson(master, "/master/state"),
    getJson(master, "/metrics/snapshot"),
  ])) as [MasterState, Record<string, number>];
  const tasks = state.frameworks.flatMap((framework) => [...framework.tasks, ...framework.unreachable_tasks]);
  const used = state.slaves.reduce((sum, slave) => sum + (slave.used_resources.cpus ?? 0), 0);
  return {
    tasks: said(tasks),
    metric: metrics["master/tasks_running"] ?? Number.NaN,
    agents: state.slaves.filter(({ active }) => active).length,
    frameworks: state.frameworks.filter(({ active, connected }) => active && connected).length,
    usedCpus: Math.round(used * 1000) / 1000,
  };
}

export async function agentCounts(agents: readonly Daemon[]): Promise<Counts> {
  const tasks: Named[] = [];
  let metric = 0;
  for (const agent of agents) {
    const { frameworks } = (await getJson(agent, "/state")) as AgentState;
    for (const { executors } of frameworks)
      for (const executor of executors) tasks.push(...executor.tasks, ...executor.queued_tasks);
    const metrics = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
    metric += metrics["slave/tasks_running"] ?? Number.NaN;
  }
  return { tasks: said(tasks), metric };
}
