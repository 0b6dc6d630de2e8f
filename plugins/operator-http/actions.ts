import type { Duration } from "../../proto/gen/google/protobuf/duration.js";
import { type Call, Call_Type } from "../../proto/gen/mesos/v1/master/master.js";
import {
  type AgentID,
  type DurationInfo,
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
} from "../../proto/gen/mesos/v1/mesos.js";
import { durationFromNs } from "../../sdk/values/index.js";
import type { OperatorApi } from "./reads.js";

/** Carries a validated call out. Resolves to the status of the answer, which has no body. */
type Action = (
  api: Pick<OperatorApi, "service" | "verbosity">,
  call: Call,
  principal: string | undefined,
) => number | Promise<number>;

/** An operation on one agent's resources. */
const operation =
  (read: (call: Call) => { agent_id?: AgentID | undefined; operation: Offer_Operation }): Action =>
  ({ service }, call, principal) => {
    const { agent_id: agentId, operation } = read(call);
    service.operate({ agentId: agentId?.value ?? "", operation, principal });
    return 202;
  };

/** What a Duration says, as Mesos's own messages carry it. */
const durationInfo = ({ seconds = 0n, nanos = 0 }: Duration): DurationInfo => ({
  nanoseconds: seconds * 1_000_000_000n + BigInt(nanos),
});

/** The calls that change something, by type. */
export const ACTIONS: { readonly [type: number]: Action } = {
  [Call_Type.RESERVE_RESOURCES]: operation(({ reserve_resources: part }) => ({
    agent_id: part?.agent_id,
    operation: {
      type: OperationType.RESERVE,
      reserve: { source: part?.source ?? [], resources: part?.resources ?? [] },
    },
  })),
  [Call_Type.UNRESERVE_RESOURCES]: operation(({ unreserve_resources: part }) => ({
    agent_id: part?.agent_id,
    operation: { type: OperationType.UNRESERVE, unreserve: { resources: part?.resources ?? [] } },
  })),
  [Call_Type.CREATE_VOLUMES]: operation(({ create_volumes: part }) => ({
    agent_id: part?.agent_id,
    operation: { type: OperationType.CREATE, create: { volumes: part?.volumes ?? [] } },
  })),
  [Call_Type.DESTROY_VOLUMES]: operation(({ destroy_volumes: part }) => ({
    agent_id: part?.agent_id,
    operation: { type: OperationType.DESTROY, destroy: { volumes: part?.volumes ?? [] } },
  })),
  [Call_Type.GROW_VOLUME]: operation(({ grow_volume: part }) => ({
    agent_id: part?.agent_id,
    operation: {
      type: OperationType.GROW_VOLUME,
      grow_volume: { volume: part?.volume, addition: part?.addition },
    },
  })),
  [Call_Type.SHRINK_VOLUME]: operation(({ shrink_volume: part }) => ({
    agent_id: part?.agent_id,
    operation: {
      type: OperationType.SHRINK_VOLUME,
      shrink_volume: { volume: part?.volume, subtract: part?.subtract },
    },
  })),
  [Call_Type.UPDATE_WEIGHTS]: async ({ service }, { update_weights: part }) => {
    await service.updateWeights(part?.weight_infos ?? []);
    return 200;
  },
  [Call_Type.UPDATE_QUOTA]: async ({ service }, { update_quota: part }) => {
    await service.updateQuota({ configs: part?.quota_configs ?? [], force: part?.force ?? false });
    return 200;
  },
  [Call_Type.SET_QUOTA]: async ({ service }, { set_quota: part }) => {
    await service.setQuota(part?.quota_request ?? { guarantee: [] });
    return 200;
  },
  [Call_Type.REMOVE_QUOTA]: async ({ service }, { remove_quota: part }) => {
    await service.removeQuota(part?.role ?? "");
    return 200;
  },
  [Call_Type.UPDATE_MAINTENANCE_SCHEDULE]: async ({ service }, { update_maintenance_schedule: part }) => {
    await service.updateMaintenanceSchedule(part?.schedule ?? { windows: [] });
    return 200;
  },
  [Call_Type.START_MAINTENANCE]: async ({ service }, { start_maintenance: part }) => {
    await service.startMaintenance(part?.machines ?? []);
    return 200;
  },
  [Call_Type.STOP_MAINTENANCE]: async ({ service }, { stop_maintenance: part }) => {
    await service.stopMaintenance(part?.machines ?? []);
    return 200;
  },
  [Call_Type.DRAIN_AGENT]: async ({ service }, { drain_agent: part }) => {
    const grace = part?.max_grace_period;
    await service.drainAgent({
      agentId: part?.agent_id?.value ?? "",
      maxGracePeriod: grace === undefined ? undefined : durationInfo(grace),
      markGone: part?.mark_gone ?? false,
    });
    return 200;
  },
  [Call_Type.DEACTIVATE_AGENT]: async ({ service }, { deactivate_agent: part }) => {
    await service.deactivateAgent(part?.agent_id?.value ?? "");
    return 200;
  },
  [Call_Type.REACTIVATE_AGENT]: async ({ service }, { reactivate_agent: part }) => {
    await service.reactivateAgent(part?.agent_id?.value ?? "");
    return 200;
  },
  [Call_Type.MARK_AGENT_GONE]: async ({ service }, { mark_agent_gone: part }) => {
    await service.markAgentGone(part?.agent_id?.value ?? "");
    return 200;
  },
  [Call_Type.SET_LOGGING_LEVEL]: ({ verbosity }, { set_logging_level: part }) => {
    verbosity.set(part?.level ?? 0, durationFromNs(part?.duration?.nanoseconds ?? 0n));
    return 200;
  },
  [Call_Type.TEARDOWN]: ({ service }, { teardown: part }) => {
    service.teardown(part?.framework_id?.value ?? "");
    return 200;
  },
};
