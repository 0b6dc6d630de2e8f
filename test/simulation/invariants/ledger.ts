import { usesUnknown } from "../../../core/agent/tasks/task-refusal.js";
import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord } from "../../../sdk/contracts/master-view.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { AgentLife, AgentNode } from "../agent-node.js";
import type { Cluster } from "../cluster.js";

/** Checks the leading master's accounts: nobody has more than there is, and the parts add up. */
export function checkLedger({ masters, agents, operator, world }: Cluster): void {
  for (const { life, name } of masters) {
    if (life === undefined || life.process.paused || life.master.leadership().role !== "leading") continue;
    const unplanned = operator.plans.problem(life);
    if (unplanned !== undefined)
      world.violate("what an operator was told is done is done", `${name}: ${unplanned}`);
    for (const agent of life.master.view.agents()) {
      const node = agents.find(({ life, agentId }) => (life?.agent.state.id || agentId) === agent.id);
      const problem = problemOf(agent, node);
      if (problem !== undefined) world.violate("resources are conserved", `${name}: ${agent.id} ${problem}`);
      const undone = operator.problem(agent);
      if (undone !== undefined)
        world.violate("what an operator was told is done is done", `${name}: ${undone}`);
    }
  }
}

function problemOf(agent: AgentRecord, node: AgentNode | undefined): string | undefined {
  const { total } = agent;
  // In the end it must be exact; until then the master may not have heard of a change, or hear of it late.
  if (node?.shape.wasEver(total.quantities()) === false) return `has ${total}, and never was ${total}`;
  const taken = agent.used.add(agent.offered).unallocate();
  if (total.contains(taken)) return undefined;
  const real = taken.subtract(phantoms(agent, node?.life));
  if (total.contains(real)) return undefined;
  // What ran before the machine shrank goes on, so only what runs on it is checked.
  return node?.shape.shrank === true ? undefined : `has ${total}, and gave ${taken}`;
}

/**
 * What is counted for tasks that the agent does not have, or that have ended there, before the master knows. A launch may have been lost
 * together with the reservation that it would have used: after the agent's next report nothing is reserved, but the task still counts until
 * the agent has said that it does not know it. The same goes for a task that waits on the agent for a reservation which could not be made.
 */
function phantoms(agent: AgentRecord, life: AgentLife | undefined): Resources {
  const frameworks = life?.agent.state.frameworks;
  const missing: (readonly Resource[])[] = [];
  for (const { framework_id, task_id, resources } of agent.tasks()) {
    const framework = frameworks?.get(framework_id?.value ?? "");
    const id = task_id?.value ?? "";
    const executor = framework?.executorOf(id);
    const waitsInVain =
      executor?.queued.has(id) === true &&
      usesUnknown(resources, life?.agent.state.checkpointed ?? Resources.empty);
    if (executor === undefined || waitsInVain || isTerminal(executor.task(id)?.state))
      missing.push(resources);
  }
  return Resources.sum(missing.map((resources) => Resources.of(resources))).unallocate();
}

/** At most one master believes that it leads. */
export function checkLeaders({ masters, world }: Cluster): void {
  const leading = masters.filter(({ life }) => life !== undefined && !life.process.paused && life.holds());
  if (leading.length > 1) {
    world.violate("one leader at a time", `${leading.map(({ name }) => name).join(" and ")} lead`);
  }
}
