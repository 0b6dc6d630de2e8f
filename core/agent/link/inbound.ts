import {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  DrainSlaveMessage,
  FrameworkToExecutorMessage,
  KillTaskMessage,
  PingSlaveMessage,
  ReconcileOperationsMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
  ShutdownExecutorMessage,
  ShutdownFrameworkMessage,
  ShutdownMessage,
  SlaveRegisteredMessage,
  SlaveReregisteredMessage,
  StatusUpdateAcknowledgementMessage,
  UpdateFrameworkMessage,
} from "../../../proto/gen/json/mesos/internal/messages.js";
import { type DecodedMessage, messageDecoder } from "./message-decoder.js";

const TAKEN = {
  SlaveRegisteredMessage,
  SlaveReregisteredMessage,
  PingSlaveMessage,
  RunTaskMessage,
  RunTaskGroupMessage,
  KillTaskMessage,
  StatusUpdateAcknowledgementMessage,
  ShutdownExecutorMessage,
  ShutdownFrameworkMessage,
  UpdateFrameworkMessage,
  FrameworkToExecutorMessage,
  CheckpointResourcesMessage,
  ShutdownMessage,
  ApplyOperationMessage,
  AcknowledgeOperationStatusMessage,
  ReconcileOperationsMessage,
  DrainSlaveMessage,
};

/** A message that agents accept, by its name without the package. */
export type MasterMessage = DecodedMessage<typeof TAKEN>;

/** Undefined for a message that agents do not accept from masters. Throws WireError for malformed or incomplete bytes. */
export const decodeMasterMessage = messageDecoder(TAKEN);
