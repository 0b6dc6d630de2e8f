import * as codecs from "../../proto/gen/json/mesos/internal/messages.js";
import type * as messages from "../../proto/gen/mesos/internal/messages.js";
import { messageDecoder } from "./message-decoder.js";

interface Bodies {
  readonly SlaveRegisteredMessage: messages.SlaveRegisteredMessage;
  readonly SlaveReregisteredMessage: messages.SlaveReregisteredMessage;
  readonly PingSlaveMessage: messages.PingSlaveMessage;
  readonly RunTaskMessage: messages.RunTaskMessage;
  readonly RunTaskGroupMessage: messages.RunTaskGroupMessage;
  readonly KillTaskMessage: messages.KillTaskMessage;
  readonly StatusUpdateAcknowledgementMessage: messages.StatusUpdateAcknowledgementMessage;
  readonly ShutdownExecutorMessage: messages.ShutdownExecutorMessage;
  readonly ShutdownFrameworkMessage: messages.ShutdownFrameworkMessage;
  readonly UpdateFrameworkMessage: messages.UpdateFrameworkMessage;
  readonly FrameworkToExecutorMessage: messages.FrameworkToExecutorMessage;
  readonly CheckpointResourcesMessage: messages.CheckpointResourcesMessage;
  readonly ShutdownMessage: messages.ShutdownMessage;
  readonly ApplyOperationMessage: messages.ApplyOperationMessage;
  readonly AcknowledgeOperationStatusMessage: messages.AcknowledgeOperationStatusMessage;
  readonly ReconcileOperationsMessage: messages.ReconcileOperationsMessage;
  readonly DrainSlaveMessage: messages.DrainSlaveMessage;
}

/** A message that agents take, by its name without the package. */
export type MasterMessage = {
  [N in keyof Bodies]: { readonly name: N; readonly body: Bodies[N] };
}[keyof Bodies];

/** Undefined for a message that agents do not take from masters. Throws WireError for bytes that are malformed or incomplete. */
export const decodeMasterMessage: (name: string, body: Uint8Array) => MasterMessage | undefined =
  messageDecoder<Bodies>({
    SlaveRegisteredMessage: codecs.SlaveRegisteredMessage,
    SlaveReregisteredMessage: codecs.SlaveReregisteredMessage,
    PingSlaveMessage: codecs.PingSlaveMessage,
    RunTaskMessage: codecs.RunTaskMessage,
    RunTaskGroupMessage: codecs.RunTaskGroupMessage,
    KillTaskMessage: codecs.KillTaskMessage,
    StatusUpdateAcknowledgementMessage: codecs.StatusUpdateAcknowledgementMessage,
    ShutdownExecutorMessage: codecs.ShutdownExecutorMessage,
    ShutdownFrameworkMessage: codecs.ShutdownFrameworkMessage,
    UpdateFrameworkMessage: codecs.UpdateFrameworkMessage,
    FrameworkToExecutorMessage: codecs.FrameworkToExecutorMessage,
    CheckpointResourcesMessage: codecs.CheckpointResourcesMessage,
    ShutdownMessage: codecs.ShutdownMessage,
    ApplyOperationMessage: codecs.ApplyOperationMessage,
    AcknowledgeOperationStatusMessage: codecs.AcknowledgeOperationStatusMessage,
    ReconcileOperationsMessage: codecs.ReconcileOperationsMessage,
    DrainSlaveMessage: codecs.DrainSlaveMessage,
  });
