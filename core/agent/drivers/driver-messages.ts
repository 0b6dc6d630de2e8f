import {
  ExecutorToFrameworkMessage,
  RegisterExecutorMessage,
  ReregisterExecutorMessage,
  StatusUpdateMessage,
} from "../../../proto/gen/json/mesos/internal/messages.js";
import { type DecodedMessage, messageDecoder } from "../link/message-decoder.js";

/** What executors say to the agent that use the v0 driver, which speaks libprocess. */
const SENT = {
  RegisterExecutorMessage,
  ReregisterExecutorMessage,
  StatusUpdateMessage,
  ExecutorToFrameworkMessage,
};

/** A message of an executor's driver, by its name without the package. */
export type DriverMessage = DecodedMessage<typeof SENT>;

/** Undefined for a message that drivers do not send. Throws WireError for bytes that are malformed or incomplete. */
export const decodeDriverMessage = messageDecoder(SENT);
