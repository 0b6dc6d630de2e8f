import { Agent as MasterAgent } from "../../../core/master/agents/agent.js";
import { OperationState, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { sameAttributes } from "../../../sdk/attributes/index.js";
import type { MasterView } from "../../../sdk/contracts/master-view.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { Cluster } from "../cluster.js";
import type { TaskRecord } from "../framework-node.js";
import type { OperationRecord } from "../framework-operations.js";

/**
 * Nothing more will happen to it: it has ended, or nobody knows it any more (as the master reports for agents that were forgotten), or its
 * agent, of whose admission the framework never heard, does not exist.
 */
export function isOver({ state, agentId }: TaskRecord, cluster: Cluster): boolean {
  if (isTerminal(state) || state === TaskState.TASK_UNKNOWN) return true;
  return state === TaskState.TASK_UNREACHABLE && !isThere(agentId, cluster);
}

/** The same for an operation. */
export function isOperationOver({ state, end, agentId }: OperationRecord, cluster: Cluster): boolean {
  if (end !== undefined || state === OperationState.OPERATION_UNKNOWN) return true;
  return state === OperationState.OPERATION_UNREACHABLE && !isThere(agentId, cluster);
}

const isThere = (agentId: string, { agents }: Cluster): boolean =>
  agents.some(({ life }) => life?.agent.state.info.id?.value === agentId);

/** Where the parts of an undisturbed cluster disagree; empty: nowhere. */
export function disagreements(cluster: Cluster): string[] {
  const { masters, agents, frameworks } = cluster;
  const leading = masters.filter(({ life }) => life?.master.leadership().role === "leading");
  const [leader] = leading;
  if (leading.length !== 1 || leader?.life === undefined) return [`${leading.length} masters lead`];
  const { view } = leader.life.master;
  const found: string[] = [];

  for (const { name, life } of agents) {
    const record = life === undefined ? undefined : view.agent(life.agent.state.id);
    if (life === undefined || !life.agent.link.registered) found.push(`${name} is not registered`);
    else if (record === undefined) found.push(`${name} is not known to the master`);
    else if (!record.connected || !record.active) found.push(`${name} is not active at the master`);
    else if (record instanceof MasterAgent && record.awaitsUpdate)
      found.push(`${name} is not offered: the master waits for its update`);
    else if (!record.total.equals(life.agent.state.total))
      found.push(`${name} has ${life.agent.state.total}, and ${record.total} to the master`);
    else if (!sameAttributes(record.info.attributes, life.agent.state.info.attributes))
      found.push(`${name} has other attributes to the master`);
  }
  const registered = [...view.agents()].length;
  if (registered !== agents.length)
    found.push(`the master has ${registered} agents, there are ${agents.length}`);

  for (const framework of frameworks) {
    const record = framework.id === undefined ? undefined : view.framework(framework.id);
    if (!framework.subscribed || record?.connected !== true)
      found.push(`${framework.name} is not subscribed`);
    found.push(...tasksOf(cluster, framework.id ?? "", record?.tasks ?? new Map()));
  }
  found.push(...remainsOf(cluster, view));
  found.push(...cluster.volumes.problems(cluster));
  for (const { name, containers } of agents) {
    for (const { request, taskId } of containers.running) {
      // An executor may stay for a while after its last task.
      if (taskId === undefined) continue;
      const owner = frameworks.find(({ id }) => id === request.frameworkId);
      const task = owner?.tasks.get(taskId);
      if (task === undefined || isOver(task, cluster)) {
        found.push(
          `${name} runs ${taskId}, which is ${task === undefined ? "nobody's" : TaskState[task.state]}`,
        );
      }
    }
  }
  return found;
}

function tasksOf(
  cluster: Cluster,
  frameworkId: string,
  atMaster: ReadonlyMap<string, { readonly state?: TaskState | undefined }>,
): string[] {
  const { agents, frameworks, watch } = cluster;
  const found: string[] = [];
  const framework = frameworks.find(({ id }) => id === frameworkId);
  for (const task of framework?.tasks.values() ?? []) {
    const { id, state } = task;
    const known = atMaster.get(id)?.state;
    const holders = agents.flatMap(
      ({ life }) => life?.agent.state.frameworks.get(frameworkId)?.executorOf(id)?.task(id) ?? [],
    );
    const runs = watch.container(frameworkId, id);
    const is = `${id} is ${TaskState[state]} to its framework`;
    if (isOver(task, cluster)) {
      // A task that failed or was killed ends the tasks that were launched with it.
      if (state !== TaskState.TASK_FINISHED && state !== TaskState.TASK_UNKNOWN)
        for (const mate of task.group)
          if (!isOver(framework!.tasks.get(mate)!, cluster))
            found.push(`${is}, and ${mate}, of its group, goes on`);
      if (known !== undefined && !(isTerminal(known) && watch.keptByMaster(frameworkId, id)))
        found.push(`${is}, and ${TaskState[known]} to the master`);
      if (holders.length > 0) found.push(`${is}, and ${TaskState[holders[0]!.state!]} to an agent`);
      continue;
    }
    if (known !== state)
      found.push(`${is}, and ${known === undefined ? "unknown" : TaskState[known]} to the master`);
    if (holders.length !== 1) found.push(`${is}, and ${holders.length} agents have it`);
    else if (holders[0]!.state !== state)
      found.push(`${is}, and ${TaskState[holders[0]!.state!]} to its agent`);
    if (runs === undefined || runs.termination !== undefined) found.push(`${is}, and has no container`);
  }
  for (const id of atMaster.keys())
    if (framework?.tasks.has(id) !== true) found.push(`the master has ${id}, which nobody asked for`);
  return found;
}

/** What is left of frameworks that have ended. */
function remainsOf({ agents, frameworks }: Cluster, view: MasterView): string[] {
  const found: string[] = [];
  for (const id of frameworks.flatMap(({ past }) => [...past.keys()])) {
    if (view.framework(id) !== undefined) found.push(`${id} has ended, and is there to the master`);
    for (const { name, containers, life } of agents) {
      if (life?.agent.state.frameworks.has(id) === true)
        found.push(`${id} has ended, and is there to ${name}`);
      for (const { request } of containers.running)
        if (request.frameworkId === id) found.push(`${id} has ended, and ${name} runs ${request.executorId}`);
    }
  }
  return found;
}

/** What is still in use after everything has ended. */
export function leftovers({ masters, agents }: Cluster): string[] {
  const leader = masters.find(({ life }) => life?.master.leadership().role === "leading")?.life;
  const found: string[] = [];
  for (const agent of leader?.master.view.agents() ?? []) {
    if (!agent.used.isEmpty) found.push(`the master has ${agent.used} in use on ${agent.id}`);
  }
  for (const { name, containers, life } of agents) {
    if (containers.running.length > 0) found.push(`${name} runs ${containers.running.length} containers`);
    if (life !== undefined && life.agent.state.frameworks.size > 0) found.push(`${name} has frameworks`);
  }
  return found;
}
