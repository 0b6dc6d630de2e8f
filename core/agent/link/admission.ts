import type {
  ReconcileTasksMessage,
  SlaveRegisteredMessage,
  SlaveReregisteredMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import {
  FrameworkInfo_Capability_Type as Capability,
  TaskStatus_Reason as Reason,
  TaskStatus_Source as Source,
  TaskState,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk } from "../disk/operations.js";
import type { AgentOperations } from "../operations/agent-operations.js";
import type { Statuses } from "../tasks/statuses.js";
import type { UpdateManager } from "../updates/update-manager.js";
import type { MasterLink } from "./master-link.js";

export interface AdmissionOptions {
  readonly state: AgentState;
  readonly link: MasterLink;
  readonly statuses: Statuses;
  readonly updates: UpdateManager;
  readonly operations: AgentOperations;
  readonly checkpoints: Checkpoints;
  readonly disk: Disk;
  readonly logger: Logger;
}

/** What follows when a master has admitted the agent, for the first time or again. */
export class Admission {
  constructor(private readonly options: AdmissionOptions) {}

  registered({ slave_id, connection }: SlaveRegisteredMessage): void {
    const { state, logger } = this.options;
    const agentId = slave_id!.value!;
    if (state.phase === "terminating") return;
    if (state.info.id !== undefined && state.id !== agentId) {
      logger.error(
        { id: state.id, given: agentId },
        "a master registered this agent under another id; ignoring it",
      );
      return;
    }
    if (state.info.id === undefined) {
      state.info = { ...state.info, id: { value: agentId } };
      this.options.disk
        .apply(this.options.checkpoints.agent(state.info))
        .catch((error: unknown) => logger.error({ err: error }, "the agent's id could not be written down"));
    }
    logger.info({ id: agentId, master: this.options.link.master }, "registered");
    this.resume(connection?.total_ping_timeout_seconds);
  }

  reregistered({ slave_id, reconciliations, connection }: SlaveReregisteredMessage): void {
    const { state, logger } = this.options;
    if (state.phase === "terminating") return;
    if (state.id !== slave_id!.value) {
      logger.error(
        { id: state.id, given: slave_id!.value },
        "a master re-registered this agent under another id; ignoring it",
      );
      return;
    }
    logger.info({ id: state.id, master: this.options.link.master }, "re-registered");
    this.resume(connection?.total_ping_timeout_seconds);
    for (const reconciliation of reconciliations) this.reconcile(reconciliation);
  }

  /** Resends what the master may have missed. @param pingTimeout seconds */
  private resume(pingTimeout: number | undefined): void {
    if (!this.options.link.accepted(pingTimeout)) return;
    this.options.operations.registered();
    this.options.updates.resume();
  }

  /** The master lists the tasks it believes to run here; those that do not have ended without its knowledge. */
  private reconcile({ framework_id, statuses, framework }: ReconcileTasksMessage): void {
    const frameworkId = framework_id!.value!;
    const partitionAware =
      framework?.capabilities.some(({ type }) => type === Capability.PARTITION_AWARE) === true;
    for (const { task_id } of statuses) {
      const taskId = task_id!.value!;
      if (this.options.state.frameworks.get(frameworkId)?.executorOf(taskId) !== undefined) continue;
      this.options.statuses.reportUnknown({
        frameworkId,
        taskId,
        state: partitionAware ? TaskState.TASK_DROPPED : TaskState.TASK_LOST,
        source: Source.SOURCE_AGENT,
        reason: Reason.REASON_RECONCILIATION,
        message: "Reconciliation: task unknown to the agent",
      });
    }
  }
}
