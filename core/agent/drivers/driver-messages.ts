import * as codecs from "../../../proto/gen/json/mesos/internal/messages.js";
import type * as messages from "../../../proto/gen/mesos/internal/messages.js";
import { messageDecoder } from "../message-decoder.js";

/** What executors say to the agent that use the v0 driver, which speaks libprocess. */
interface Bodies {
  readonly RegisterExecutorMessage: messages.RegisterExecutorMessage;
  readonly ReregisterExecutorMessage: messages.ReregisterExecutorMessage;
  readonly StatusUpdateMessage: messages.StatusUpdateMessage;
  readonly ExecutorToFrameworkMessage: messages.ExecutorToFrameworkMessage;
}

/** A message of an executor's driver, by its name without the package. */
export type DriverMessage = {
  [N in keyof Bodies]: { readonly name: N; readonly body: Bodies[N] };
}[keyof Bodies];

/** Undefined for a message that drivers do not send. Throws WireError for bytes that are malformed or incomplete. */
export const decodeDriverMessage: (name: string, body: Uint8Array) => DriverMessage | undefined =
  messageDecoder<Bodies>({
    RegisterExecutorMessage: codecs.RegisterExecutorMessage,
    ReregisterExecutorMessage: codecs.ReregisterExecutorMessage,
    StatusUpdateMessage: codecs.StatusUpdateMessage,
    ExecutorToFrameworkMessage: codecs.ExecutorToFrameworkMessage,
  });
