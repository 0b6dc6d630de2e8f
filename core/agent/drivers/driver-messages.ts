import {
  ExecutorToFrameworkMessage,
  RegisterExecutorMessage,
  ReregisterExecutorMessage,
  StatusUpdateMessage,
} from "../../../proto/gen/json/mesos/internal/messages.js";
import { type DecodedMessage, messageDecoder } from "../link/message-decoder.js";

/** The messages that executors on the v0 driver, which speak libprocess, send to the agent. */
const SENT = {
  RegisterExecutorMessage,
  ReregisterExecutorMessage,
  StatusUpdateMessage,
  ExecutorToFrameworkMessage,
};

/** A message from an executor's driver, by its name without the package. */
export type DriverMessage = DecodedMessage<typeof SENT>;

/** Undefined for a message that drivers do not send. Throws WireError for malformed or incomplete bytes. */
export const decodeDriverMessage = messageDecoder(SENT);
