import type { Call, Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** The way back to one executor, given by an edge. Same rules as for schedulers. */
export interface ExecutorConnection {
  send(event: Event): boolean;
  close(): void;
}

export interface ExecutorSubscription {
  readonly call: Call;
  readonly connection: ExecutorConnection;
  /** What the sender showed of itself. */
  readonly claims?: ExecutorClaims | undefined;
}

export interface ExecutorSession {
  disconnected(): void;
}

/** What an executor's token says: its framework (`fid`), its own id (`eid`) and its container (`cid`). */
export type ExecutorClaims = Readonly<Record<string, string>>;

/** Who sends a request. No claims: nobody has to say. A problem: it was not shown, for this reason; empty where nothing was tried. */
export type ExecutorIdentity =
  | { readonly claims: ExecutorClaims | undefined; readonly problem?: undefined }
  | { readonly problem: string };

/** The executor API behind its edges. Refusals are TepuiErrors whose kind gives the status. */
export interface ExecutorService {
  /** False while the agent recovers (503). */
  ready(): boolean;
  /** @param authorization the request's header of that name */
  identify(authorization: string | undefined): ExecutorIdentity;
  validate(call: Call): void;
  subscribe(subscription: ExecutorSubscription): ExecutorSession;
  /**
   * UPDATE and MESSAGE. Returning means accepted (202). A promise: the sender is to wait until it is, because much of what it sent before is
   * still under way.
   */
  call(call: Call, claims?: ExecutorClaims): void | Promise<void>;
}

export const ExecutorService = extensionPoint<ExecutorService, "one">("tepui.executor-service", {
  version: "1.0",
  cardinality: "one",
});
