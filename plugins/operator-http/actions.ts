import { type Call, Call_Type } from "../../proto/gen/mesos/v1/master/master.js";
import {
  type AgentID,
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { OperatorService } from "../../sdk/contracts/operator-service.js";

/** Carries a validated call out. Resolves to the status of the answer, which has no body. */
type Action = (
  service: OperatorService,
  call: Call,
  principal: string | undefined,
) => number | Promise<number>;

/** An operation on one agent's resources. */
const operation =
  (read: (call: Call) => { agent_id?: AgentID | undefined; operation: Offer_Operation }): Action =>
  (service, call, principal) => {
    const { agent_id: agentId, operation } = read(call);
    service.operate({ agentId: agentId?.value ?? "", operation, principal });
    return 202;
  };

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
  [Call_Type.UPDATE_WEIGHTS]: async (service, { update_weights: part }) => {
    await service.updateWeights(part?.weight_infos ?? []);
    return 200;
  },
  [Call_Type.UPDATE_QUOTA]: async (service, { update_quota: part }) => {
    await service.updateQuota({ configs: part?.quota_configs ?? [], force: part?.force ?? false });
    return 200;
  },
  [Call_Type.SET_QUOTA]: async (service, { set_quota: part }) => {
    await service.setQuota(part?.quota_request ?? { guarantee: [] });
    return 200;
  },
  [Call_Type.REMOVE_QUOTA]: async (service, { remove_quota: part }) => {
    await service.removeQuota(part?.role ?? "");
    return 200;
  },
  [Call_Type.TEARDOWN]: (service, { teardown: part }) => {
    service.teardown(part?.framework_id?.value ?? "");
    return 200;
  },
};
