import {
  Call_Type,
  type Response,
  type Response_GetAgents,
  type Response_GetExecutors,
  type Response_GetFrameworks,
  type Response_GetFrameworks_Framework,
  type Response_GetTasks,
  Response_Type,
} from "../../proto/gen/mesos/v1/master/master.js";
import { type Resource, type TimeInfo, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord, FrameworkRecord, MasterView } from "../../sdk/contracts/master-view.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { OperatorService } from "../../sdk/contracts/operator-service.js";
import { fromMilli, type Resources, toMilli } from "../../sdk/resources/index.js";
import { isInSubtree } from "../../sdk/roles/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import { type BuildInfo, buildDate } from "../../sdk/v0-json/index.js";

export interface OperatorApi {
  readonly service: OperatorService;
  readonly view: MasterView;
  readonly metrics: Metrics;
  readonly build: BuildInfo;
}

/** The calls that read something, by type. */
export const READS: { readonly [type: number]: (api: OperatorApi) => Response } = {
  [Call_Type.GET_HEALTH]: () => ({ type: Response_Type.GET_HEALTH, get_health: { healthy: true } }),
  [Call_Type.GET_FLAGS]: ({ view }) => {
    const flags = Array.from(view.flags, ([name, value]) => ({ name, value }));
    return { type: Response_Type.GET_FLAGS, get_flags: { flags } };
  },
  [Call_Type.GET_VERSION]: ({ build }) => ({
    type: Response_Type.GET_VERSION,
    get_version: { version_info: versionInfo(build) },
  }),
  [Call_Type.GET_METRICS]: ({ metrics }) => {
    const list = Array.from(metrics.snapshot(), ([name, value]) => ({ name, value }));
    return { type: Response_Type.GET_METRICS, get_metrics: { metrics: list } };
  },
  // Levels of glog's verbose lines, of which there are none.
  [Call_Type.GET_LOGGING_LEVEL]: () => ({
    type: Response_Type.GET_LOGGING_LEVEL,
    get_logging_level: { level: 0 },
  }),
  [Call_Type.GET_MASTER]: ({ view }) => ({
    type: Response_Type.GET_MASTER,
    get_master: { master_info: view.info, start_time: view.startTime, elected_time: view.electedTime },
  }),
  [Call_Type.GET_STATE]: ({ view }) => ({
    type: Response_Type.GET_STATE,
    get_state: {
      get_tasks: tasks(view),
      get_executors: executors(view),
      get_frameworks: frameworks(view),
      get_agents: agents(view),
    },
  }),
  [Call_Type.GET_AGENTS]: ({ view }) => ({ type: Response_Type.GET_AGENTS, get_agents: agents(view) }),
  [Call_Type.GET_FRAMEWORKS]: ({ view }) => ({
    type: Response_Type.GET_FRAMEWORKS,
    get_frameworks: frameworks(view),
  }),
  [Call_Type.GET_EXECUTORS]: ({ view }) => ({
    type: Response_Type.GET_EXECUTORS,
    get_executors: executors(view),
  }),
  [Call_Type.GET_TASKS]: ({ view }) => ({ type: Response_Type.GET_TASKS, get_tasks: tasks(view) }),
  [Call_Type.GET_OPERATIONS]: ({ view }) => ({
    type: Response_Type.GET_OPERATIONS,
    get_operations: { operations: [...view.agents()].flatMap((agent) => [...agent.operations()]) },
  }),
  [Call_Type.GET_MAINTENANCE_SCHEDULE]: ({ service }) => ({
    type: Response_Type.GET_MAINTENANCE_SCHEDULE,
    get_maintenance_schedule: { schedule: service.maintenanceSchedule() },
  }),
  [Call_Type.GET_MAINTENANCE_STATUS]: ({ service }) => ({
    type: Response_Type.GET_MAINTENANCE_STATUS,
    get_maintenance_status: { status: service.maintenanceStatus() },
  }),
  [Call_Type.GET_ROLES]: ({ view }) => ({ type: Response_Type.GET_ROLES, get_roles: { roles: roles(view) } }),
  [Call_Type.GET_WEIGHTS]: ({ service }) => {
    const weights = [...service.weights()];
    // Without weights not even the empty list is there.
    if (weights.length === 0) return { type: Response_Type.GET_WEIGHTS };
    return { type: Response_Type.GET_WEIGHTS, get_weights: { weight_infos: weights } };
  },
  [Call_Type.GET_QUOTA]: ({ service }) => {
    const configs = [...service.quotas()];
    const infos = configs.map(({ role, guarantees }) => ({
      role,
      guarantee: Object.entries(guarantees).map(
        ([name, scalar]): Resource => ({ name, type: Value_Type.SCALAR, scalar, reservations: [] }),
      ),
    }));
    return { type: Response_Type.GET_QUOTA, get_quota: { status: { infos, configs } } };
  },
};

const versionInfo = ({ version, buildTime }: BuildInfo) => ({
  version,
  build_date: buildDate(buildTime),
  build_time: buildTime,
  build_user: "",
});

function agents(view: MasterView): Response_GetAgents {
  return {
    agents: Array.from(view.agents(), (agent) => ({
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
    })),
    recovered_agents: [...view.recoveredAgents()],
  };
}

/** The start of draining is told in whole seconds. */
function drainOf({ drainInfo, estimatedDrainStartTime: start }: AgentRecord) {
  if (drainInfo === undefined) return {};
  if (start === undefined) return { drain_info: drainInfo };
  return { drain_info: drainInfo, estimated_drain_start_time: time(Math.floor(start)) };
}

function frameworks(view: MasterView): Response_GetFrameworks {
  return {
    frameworks: Array.from(view.frameworks(), framework),
    completed_frameworks: Array.from(view.completedFrameworks(), framework),
    recovered_frameworks: [],
  };
}

function framework(record: FrameworkRecord): Response_GetFrameworks_Framework {
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

function executors(view: MasterView): Response_GetExecutors {
  const found = [...view.frameworks(), ...view.completedFrameworks()].flatMap((one) => [...one.executors()]);
  return {
    executors: found.map(({ info, agentId }) => ({ executor_info: info, agent_id: { value: agentId } })),
    orphan_executors: [],
  };
}

/** Tasks that have ended count as completed from their end on, acknowledged or not. */
function tasks(view: MasterView): Response_GetTasks {
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

/** What is allocated and offered in each role, with the roles below it. */
function roles(view: MasterView) {
  const all = view.roles();
  return all.map(({ name, weight, frameworks }) => {
    const sums = new Map<string, number>();
    for (const one of all) {
      if (!isInSubtree(one.name, name)) continue;
      for (const { kind, quantity } of [...one.allocated, ...one.offered]) {
        sums.set(kind.name, (sums.get(kind.name) ?? 0) + quantity);
      }
    }
    return {
      name,
      weight,
      frameworks: frameworks.map((value) => ({ value })),
      resources: [...sums.keys()].sort().map(
        (resource): Resource => ({
          name: resource,
          type: Value_Type.SCALAR,
          scalar: { value: fromMilli(sums.get(resource) ?? 0) },
          reservations: [],
        }),
      ),
    };
  });
}

const shown = (resources: Resources): Resource[] => resources.toMessages("endpoint");

/** @param seconds since the epoch */
const time = (seconds: number): TimeInfo => ({ nanoseconds: BigInt(toMilli(seconds)) * 1_000_000n });
