import type {
  Response_GetAgents,
  Response_GetAgents_Agent,
  Response_GetExecutors,
  Response_GetFrameworks,
  Response_GetFrameworks_Framework,
  Response_GetState,
  Response_GetTasks,
} from "../../proto/gen/mesos/v1/master/master.js";
import type { Resource, TimeInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord, FrameworkRecord, MasterView } from "../../sdk/contracts/master-view.js";
import { type Resources, toMilli } from "../../sdk/resources/index.js";
import { isTerminal } from "../../sdk/task-states.js";

/** Everything that GET_STATE tells, and a subscription begins with. */
export const stateOf = (view: MasterView): Response_GetState => ({
  get_tasks: tasksOf(view),
  get_executors: executorsOf(view),
  get_frameworks: frameworksOf(view),
  get_agents: agentsOf(view),
});

export function agentsOf(view: MasterView): Response_GetAgents {
  return {
    agents: Array.from(view.agents(), agentOf),
    recovered_agents: [...view.recoveredAgents()],
  };
}

export const agentOf = (agent: AgentRecord): Response_GetAgents_Agent => ({
  agent_info: agent.info,
  active: agent.active,
  deactivated: agent.deactivated,
  version: agent.version,
  pid: agent.pid,
  registered_time: time(agent.registeredTime),
  reregistered_time: agent.reregisteredTime === undefined ? undefined : time(agent.reregisteredTime),
  total_resources: shown(agent.total),
  allocated_resources: shown(agent.used),
  offered_resources: shown(agent.offered),
  capabilities: [...agent.capabilities],
  resource_providers: [],
  ...drainOf(agent),
});

/** The start of draining is told in whole seconds. */
function drainOf({ drainInfo, estimatedDrainStartTime: start }: AgentRecord) {
  if (drainInfo === undefined) return {};
  if (start === undefined) return { drain_info: drainInfo };
  return { drain_info: drainInfo, estimated_drain_start_time: time(Math.floor(start)) };
}

export function frameworksOf(view: MasterView): Response_GetFrameworks {
  return {
    frameworks: Array.from(view.frameworks(), frameworkOf),
    completed_frameworks: Array.from(view.completedFrameworks(), frameworkOf),
    recovered_frameworks: [],
  };
}

export function frameworkOf(record: FrameworkRecord): Response_GetFrameworks_Framework {
  const { info, active, connected, recovered, registeredTime, reregisteredTime, unregisteredTime } = record;
  return {
    framework_info: info,
    active,
    connected,
    recovered,
    registered_time: time(registeredTime),
    reregistered_time: reregisteredTime === undefined ? undefined : time(reregisteredTime),
    unregistered_time: unregisteredTime === 0 ? undefined : time(unregisteredTime),
    offers: [...record.offers],
    inverse_offers: [...(record.inverseOffers ?? [])],
    allocated_resources: shown(record.used),
    offered_resources: shown(record.offered),
    offer_constraints: record.offerConstraints ?? { role_constraints: {} },
  };
}

export function executorsOf(view: MasterView): Response_GetExecutors {
  const found = [...view.frameworks(), ...view.completedFrameworks()].flatMap((one) => [...one.executors()]);
  return {
    executors: found.map(({ info, agentId }) => ({ executor_info: info, agent_id: { value: agentId } })),
    orphan_executors: [],
  };
}

/** Tasks that have ended count as completed from their end on, acknowledged or not. */
export function tasksOf(view: MasterView): Response_GetTasks {
  const all = [...view.frameworks(), ...view.completedFrameworks()];
  const known = all.flatMap((one) => [...one.tasks.values()]);
  return {
    pending_tasks: [],
    tasks: known.filter(({ state }) => !isTerminal(state)),
    unreachable_tasks: all.flatMap((one) => [...one.unreachableTasks]),
    completed_tasks: [
      ...known.filter(({ state }) => isTerminal(state)),
      ...all.flatMap((one) => [...one.completedTasks]),
    ],
    orphan_tasks: [],
  };
}

const shown = (resources: Resources): Resource[] => resources.toMessages("endpoint");

/** @param seconds since the epoch */
export const time = (seconds: number): TimeInfo => ({ nanoseconds: BigInt(toMilli(seconds)) * 1_000_000n });
