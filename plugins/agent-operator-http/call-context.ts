import type { Call, Response } from "../../proto/gen/mesos/v1/agent/agent.js";
import type { AgentContainers } from "../../sdk/contracts/agent-containers.js";
import type { AgentView } from "../../sdk/contracts/agent-view.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Files } from "../../sdk/contracts/files.js";
import type { HttpReply } from "../../sdk/contracts/http-server.js";
import type { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { BuildInfo } from "../../sdk/v0-json/index.js";
import type { MediaTypes } from "./media-types.js";

/** What calls are carried out with. */
export interface AgentApi {
  readonly containers: AgentContainers;
  readonly view: AgentView;
  readonly files: Files;
  readonly metrics: Metrics;
  readonly verbosity: LogVerbosity;
  readonly build: BuildInfo;
  /** False while the agent recovers: nothing is answered then. */
  readonly ready: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of streams, milliseconds. */
  readonly heartbeatInterval: number;
}

/** One call that was read and validated. */
export interface CallContext {
  readonly api: AgentApi;
  readonly call: Call;
  readonly media: MediaTypes;
  /** The records after the first; none where the request is no stream. Throws TEPUI_CALL_INVALID for what is no call. */
  readonly records: AsyncIterator<Call, void>;
  readonly reply: HttpReply;
  /** Answers with a message. */
  respond(response: Response): void;
}

/** Carries out the calls of one type. A thrown TepuiError is the answer. */
export type CallHandler = (context: CallContext) => void | Promise<void>;
