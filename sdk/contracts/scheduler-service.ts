import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Call, Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** The way back to one scheduler, given by an edge. */
export interface SchedulerConnection {
  /**
   * Hands over one event; encoding and framing are the edge's. Returns false when the subscriber has fallen behind its
   * bounded buffer: the edge has then cut the connection and calls `disconnected` later.
   */
  send(event: Event): boolean;
  /** Ends the stream after what was sent: failed over to another instance, removed, or refused. */
  close(): void;
}

export interface SchedulerSession {
  /** UUID that later calls must carry. */
  readonly streamId: string;
  /** The edge says that the connection is gone. Idempotent. */
  disconnected(): void;
}

export interface Leadership {
  /** `leading`: serves calls; `recovering`: leads, registry not read yet (503); `standby`: another leads (307) or none (503). */
  readonly role: "leading" | "recovering" | "standby";
  readonly leader: MasterInfo | undefined;
}

export interface SchedulerSubscription {
  /** A validated SUBSCRIBE call. */
  readonly call: Call;
  readonly principal: string | undefined;
  readonly connection: SchedulerConnection;
  /** Assigned to the session; a UUID. */
  readonly streamId: string;
}

export interface SchedulerRequest {
  readonly call: Call;
  readonly principal: string | undefined;
  /** From the `Mesos-Stream-Id` header; undefined when missing. */
  readonly streamId: string | undefined;
}

/**
 * The scheduler API behind every edge (HTTP, gRPC, messages). Edges translate bytes; all rules live here.
 * Refusals are TepuiErrors whose kind gives the HTTP or gRPC status; refusals of a SUBSCRIBE's content are ERROR events, as in Mesos.
 */
export interface SchedulerService {
  leadership(): Leadership;
  /** Throws TepuiError `CALL_INVALID` with Mesos's text (`Failed to validate scheduler::Call: ...`). Done before anything else. */
  validate(call: Call): void;
  subscribe(subscription: SchedulerSubscription): SchedulerSession;
  /** Every call but SUBSCRIBE. Returning means accepted (202). UPDATE_FRAMEWORK may reject later and so returns a promise (200). */
  call(request: SchedulerRequest): void | Promise<void>;
}

export const SchedulerService = extensionPoint<SchedulerService, "one">("tepui.scheduler-service", {
  version: "1.0",
  cardinality: "one",
});
