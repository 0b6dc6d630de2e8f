import {
  type Call,
  Call_Type,
  type Response,
  Response_Type,
} from "../../proto/gen/mesos/v1/master/master.js";
import { type Resource, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { Files } from "../../sdk/contracts/files.js";
import type { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { OperatorService } from "../../sdk/contracts/operator-service.js";
import type { SharedReads } from "../../sdk/http/index.js";
import { fromMilli } from "../../sdk/resources/index.js";
import { isInSubtree } from "../../sdk/roles/index.js";
import { type BuildInfo, versionInfo } from "../../sdk/v0-json/index.js";
import type { OperatorStreams } from "./operator-streams.js";
import { agentsOf, executorsOf, frameworksOf, stateOf, tasksOf } from "./state.js";

export interface OperatorApi {
  readonly service: OperatorService;
  readonly view: MasterView;
  readonly metrics: Metrics;
  readonly files: Files;
  readonly verbosity: LogVerbosity;
  readonly build: BuildInfo;
  readonly streams: OperatorStreams;
  readonly shared: SharedReads;
}

type Read = (api: OperatorApi, call: Call) => Response | Promise<Response>;

/** The calls that read something small, by type. */
export const READS: { readonly [type: number]: Read } = {
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
  [Call_Type.GET_LOGGING_LEVEL]: ({ verbosity }) => ({
    type: Response_Type.GET_LOGGING_LEVEL,
    get_logging_level: { level: verbosity.level },
  }),
  [Call_Type.LIST_FILES]: async ({ files }, { list_files: part }) => ({
    type: Response_Type.LIST_FILES,
    list_files: { file_infos: [...(await files.browse(part?.path ?? ""))] },
  }),
  [Call_Type.READ_FILE]: async ({ files }, { read_file: part }) => {
    const { path = "", offset = 0n, length } = part ?? {};
    const wanted = { offset: Number(offset), length: length === undefined ? undefined : Number(length) };
    const { size, data } = await files.read({ path, ...wanted });
    return { type: Response_Type.READ_FILE, read_file: { size: BigInt(size), data } };
  },
  [Call_Type.GET_MASTER]: ({ view }) => ({
    type: Response_Type.GET_MASTER,
    get_master: { master_info: view.info, start_time: view.startTime, elected_time: view.electedTime },
  }),
  [Call_Type.GET_MAINTENANCE_SCHEDULE]: ({ service }) => ({
    type: Response_Type.GET_MAINTENANCE_SCHEDULE,
    get_maintenance_schedule: { schedule: service.maintenanceSchedule() },
  }),
  [Call_Type.GET_MAINTENANCE_STATUS]: ({ service }) => ({
    type: Response_Type.GET_MAINTENANCE_STATUS,
    get_maintenance_status: { status: service.maintenanceStatus() },
  }),
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

/** Those that tell of the whole cluster: the same to all who ask at a time. */
export const CLUSTER_READS: { readonly [type: number]: (api: Pick<OperatorApi, "view">) => Response } = {
  [Call_Type.GET_STATE]: ({ view }) => ({
    type: Response_Type.GET_STATE,
    get_state: stateOf(view),
  }),
  [Call_Type.GET_AGENTS]: ({ view }) => ({ type: Response_Type.GET_AGENTS, get_agents: agentsOf(view) }),
  [Call_Type.GET_FRAMEWORKS]: ({ view }) => ({
    type: Response_Type.GET_FRAMEWORKS,
    get_frameworks: frameworksOf(view),
  }),
  [Call_Type.GET_EXECUTORS]: ({ view }) => ({
    type: Response_Type.GET_EXECUTORS,
    get_executors: executorsOf(view),
  }),
  [Call_Type.GET_TASKS]: ({ view }) => ({ type: Response_Type.GET_TASKS, get_tasks: tasksOf(view) }),
  [Call_Type.GET_OPERATIONS]: ({ view }) => ({
    type: Response_Type.GET_OPERATIONS,
    get_operations: { operations: [...view.agents()].flatMap((agent) => [...agent.operations()]) },
  }),
  [Call_Type.GET_ROLES]: ({ view }) => ({ type: Response_Type.GET_ROLES, get_roles: { roles: roles(view) } }),
};

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
