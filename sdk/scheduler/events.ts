import type {
  AgentID,
  ExecutorID,
  FrameworkID,
  InverseOffer,
  MasterInfo,
  Offer,
  OfferID,
  OperationStatus,
  TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { type Event, Event_Type as Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";

/**
 * What a scheduler is told, told apart by `type`. Names of types and fields are those of the wire
 * (`mesos.v1.scheduler.Event`), in lower case; `disconnected` is the client's own.
 */
export type SchedulerEvent =
  | SubscribedEvent
  | OffersEvent
  | InverseOffersEvent
  | RescindEvent
  | RescindInverseOfferEvent
  | UpdateEvent
  | UpdateOperationStatusEvent
  | MessageEvent
  | FailureEvent
  | HeartbeatEvent
  | DisconnectedEvent;

/** The event of one type. */
export type SchedulerEventOf<T extends SchedulerEvent["type"]> = Extract<SchedulerEvent, { type: T }>;

/** Sent first, and again after every reconnection: offers made before are void then. */
interface SubscribedEvent {
  readonly type: "subscribed";
  readonly framework_id: FrameworkID;
  readonly heartbeat_interval_seconds: number | undefined;
  readonly master_info: MasterInfo | undefined;
}

interface OffersEvent {
  readonly type: "offers";
  readonly offers: readonly Offer[];
}

/** Resources are asked back because maintenance is planned. */
interface InverseOffersEvent {
  readonly type: "inverse_offers";
  readonly inverse_offers: readonly InverseOffer[];
}

interface RescindEvent {
  readonly type: "rescind";
  readonly offer_id: OfferID;
}

interface RescindInverseOfferEvent {
  readonly type: "rescind_inverse_offer";
  readonly inverse_offer_id: OfferID;
}

/** A task's state. One with a `uuid` is repeated until it is acknowledged. */
interface UpdateEvent {
  readonly type: "update";
  readonly status: TaskStatus;
}

interface UpdateOperationStatusEvent {
  readonly type: "update_operation_status";
  readonly status: OperationStatus;
}

/** Bytes from an executor. */
interface MessageEvent {
  readonly type: "message";
  readonly agent_id: AgentID;
  readonly executor_id: ExecutorID;
  readonly data: Uint8Array;
}

/** An agent is lost, or an executor has ended (`executor_id` and `status`, a wait status, are set then). Not reliable. */
interface FailureEvent {
  readonly type: "failure";
  readonly agent_id: AgentID | undefined;
  readonly executor_id: ExecutorID | undefined;
  readonly status: number | undefined;
}

interface HeartbeatEvent {
  readonly type: "heartbeat";
}

/** The subscription is gone; the client subscribes again by itself. */
interface DisconnectedEvent {
  readonly type: "disconnected";
  readonly reason: string;
}

/** The typed form; undefined for ERROR, for a type of a later version, and for an event without the part that its type needs. */
export function schedulerEvent(event: Event): Exclude<SchedulerEvent, DisconnectedEvent> | undefined {
  switch (event.type) {
    case Type.SUBSCRIBED: {
      const { framework_id, heartbeat_interval_seconds, master_info } = event.subscribed ?? {};
      if (framework_id?.value === undefined) return undefined;
      return { type: "subscribed", framework_id, heartbeat_interval_seconds, master_info };
    }
    case Type.OFFERS:
      return event.offers && { type: "offers", offers: event.offers.offers };
    case Type.INVERSE_OFFERS:
      return (
        event.inverse_offers && {
          type: "inverse_offers",
          inverse_offers: event.inverse_offers.inverse_offers,
        }
      );
    case Type.RESCIND:
      return event.rescind?.offer_id && { type: "rescind", offer_id: event.rescind.offer_id };
    case Type.RESCIND_INVERSE_OFFER: {
      const inverse_offer_id = event.rescind_inverse_offer?.inverse_offer_id;
      return inverse_offer_id && { type: "rescind_inverse_offer", inverse_offer_id };
    }
    case Type.UPDATE:
      return event.update?.status && { type: "update", status: event.update.status };
    case Type.UPDATE_OPERATION_STATUS: {
      const status = event.update_operation_status?.status;
      return status && { type: "update_operation_status", status };
    }
    case Type.MESSAGE: {
      const { agent_id, executor_id, data } = event.message ?? {};
      if (agent_id === undefined || executor_id === undefined || data === undefined) return undefined;
      return { type: "message", agent_id, executor_id, data };
    }
    case Type.FAILURE: {
      const { agent_id, executor_id, status } = event.failure ?? {};
      return { type: "failure", agent_id, executor_id, status };
    }
    case Type.HEARTBEAT:
      return { type: "heartbeat" };
    default:
      return undefined;
  }
}
