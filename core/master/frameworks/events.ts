import type {
  AgentID,
  ExecutorID,
  FrameworkID,
  InverseOffer,
  MasterInfo,
  Offer,
  OperationStatus,
  TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { type Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { HEARTBEAT_INTERVAL_MS } from "../constants.js";

/** The events that schedulers receive. */

export const HEARTBEAT: Event = Object.freeze({ type: Event_Type.HEARTBEAT });

export function subscribed(frameworkId: FrameworkID, master: MasterInfo): Event {
  return {
    type: Event_Type.SUBSCRIBED,
    subscribed: {
      framework_id: frameworkId,
      heartbeat_interval_seconds: HEARTBEAT_INTERVAL_MS / 1000,
      master_info: master,
    },
  };
}

export const offersEvent = (offers: Offer[]): Event => ({ type: Event_Type.OFFERS, offers: { offers } });

export const rescind = (offerId: string): Event => ({
  type: Event_Type.RESCIND,
  rescind: { offer_id: { value: offerId } },
});

export const inverseOffersEvent = (inverse_offers: InverseOffer[]): Event => ({
  type: Event_Type.INVERSE_OFFERS,
  inverse_offers: { inverse_offers },
});

export const rescindInverseOffer = (offerId: string): Event => ({
  type: Event_Type.RESCIND_INVERSE_OFFER,
  rescind_inverse_offer: { inverse_offer_id: { value: offerId } },
});

export const update = (status: TaskStatus): Event => ({ type: Event_Type.UPDATE, update: { status } });

export const operationUpdate = (status: OperationStatus): Event => ({
  type: Event_Type.UPDATE_OPERATION_STATUS,
  update_operation_status: { status },
});

export const errorEvent = (message: string): Event => ({ type: Event_Type.ERROR, error: { message } });

export const agentLost = (agentId: AgentID): Event => ({
  type: Event_Type.FAILURE,
  failure: { agent_id: agentId },
});

export interface ExecutorExit {
  readonly agentId: AgentID;
  readonly executorId: ExecutorID;
  /** In the format of wait(2). */
  readonly status: number;
}

export const executorExited = ({ agentId, executorId, status }: ExecutorExit): Event => ({
  type: Event_Type.FAILURE,
  failure: { agent_id: agentId, executor_id: executorId, status },
});

export interface ExecutorData {
  readonly agentId: AgentID;
  readonly executorId: ExecutorID;
  readonly data: Buffer;
}

export const executorMessage = ({ agentId, executorId, data }: ExecutorData): Event => ({
  type: Event_Type.MESSAGE,
  message: { agent_id: agentId, executor_id: executorId, data },
});
