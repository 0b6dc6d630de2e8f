import type { Call, Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** The way back to one executor, given by an edge. Same rules as for schedulers. */
export interface ExecutorConnection {
  send(event: Event): boolean;
  close(): void;
}

export interface ExecutorSession {
  disconnected(): void;
}

/** The executor API behind its edges. Refusals are TepuiErrors whose kind gives the status. */
export interface ExecutorService {
  /** False while the agent recovers (503). */
  ready(): boolean;
  validate(call: Call): void;
  subscribe(subscription: { call: Call; connection: ExecutorConnection }): ExecutorSession;
  /** UPDATE and MESSAGE. Returning means accepted (202). */
  call(call: Call): void;
}

export const ExecutorService = extensionPoint<ExecutorService, "one">("tepui.executor-service", {
  version: "1.0",
  cardinality: "one",
});
