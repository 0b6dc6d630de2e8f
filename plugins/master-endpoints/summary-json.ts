import { type Task, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import type { FrameworkRecord, MasterView } from "../../sdk/contracts/master-view.js";
import { listOf, quote, stringsJson } from "../../sdk/v0-json/index.js";
import { agentFieldsJson } from "./agent-json.js";
import { frameworkSummaryFieldsJson } from "./framework-json.js";

/** The states that the summary counts, in its order. */
const COUNTED = [
  TaskState.TASK_STAGING,
  TaskState.TASK_STARTING,
  TaskState.TASK_RUNNING,
  TaskState.TASK_KILLING,
  TaskState.TASK_FINISHED,
  TaskState.TASK_KILLED,
  TaskState.TASK_FAILED,
  TaskState.TASK_LOST,
  TaskState.TASK_ERROR,
  TaskState.TASK_UNREACHABLE,
].map((state) => ({ state, name: TaskState[state] }));

const STATES = 32;

/** Tasks by state, of one agent or framework. */
class Counts {
  private readonly counts = new Uint32Array(STATES);

  add(task: Task): void {
    const state = task.state ?? TaskState.TASK_STAGING;
    if (state >= 0 && state < STATES) this.counts[state]!++;
  }

  get json(): string {
    let json = "";
    for (const { state, name } of COUNTED) json += `"${name}":${this.counts[state]},`;
    return json.slice(0, -1);
  }
}

interface AgentSummary {
  readonly counts: Counts;
  readonly frameworks: string[];
}

interface FrameworkSummary {
  readonly framework: FrameworkRecord;
  readonly counts: Counts;
  readonly agents: readonly string[];
}

const NO_TASKS: AgentSummary = { counts: new Counts(), frameworks: [] };
const NO_TASKS_JSON = `${NO_TASKS.counts.json},"framework_ids":[]`;

/** GET /state-summary: agents and frameworks with the numbers of their tasks, past ones included as far as they are kept. */
export function stateSummaryJson(view: MasterView): string {
  const agents = new Map<string, AgentSummary>();
  const frameworks = [...view.frameworks()].map((framework) => summarise(framework, agents));
  const cluster = view.cluster === undefined ? "" : `,"cluster":${quote(view.cluster)}`;
  const slaves = listOf(view.agents(), (agent) => {
    const summary = agents.get(agent.id);
    const counts =
      summary === undefined
        ? NO_TASKS_JSON
        : `${summary.counts.json},"framework_ids":${stringsJson(summary.frameworks)}`;
    return `{${agentFieldsJson(agent)},${counts}}`;
  });
  const others = listOf(
    frameworks,
    ({ framework, counts, agents: ids }) =>
      `{${frameworkSummaryFieldsJson(framework)},${counts.json},"slave_ids":${stringsJson(ids)}}`,
  );
  return `{"hostname":${quote(view.info.hostname ?? "")}${cluster},"slaves":${slaves},"frameworks":${others}}`;
}

function summarise(framework: FrameworkRecord, agents: Map<string, AgentSummary>): FrameworkSummary {
  const counts = new Counts();
  const ids: string[] = [];
  const count = (task: Task): void => {
    counts.add(task);
    const id = task.agent_id?.value ?? "";
    let agent = agents.get(id);
    if (agent === undefined) {
      agent = { counts: new Counts(), frameworks: [] };
      agents.set(id, agent);
    }
    agent.counts.add(task);
    // Frameworks are gone through one after the other, so the last one is this one or an earlier one.
    if (agent.frameworks.at(-1) === framework.id) return;
    agent.frameworks.push(framework.id);
    ids.push(id);
  };
  for (const task of framework.tasks.values()) count(task);
  for (const task of framework.unreachableTasks) count(task);
  for (const task of framework.completedTasks) count(task);
  return { framework, counts, agents: ids };
}
