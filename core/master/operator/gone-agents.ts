import {
  OperationState,
  TaskStatus_Reason as Reason,
  TaskState,
  type TimeInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { Agents } from "../agents/agents.js";
import type { MasterContext } from "../context.js";
import type { Framework } from "../frameworks/framework.js";
import type { Operations } from "../operations/operations.js";
import { timeInfo } from "../tasks/status.js";
import type { TaskFate } from "../tasks/task-fates.js";

const MESSAGE = "Agent has been marked gone";

/** Agents that an operator marked gone: their tasks are over, and the agents are never readmitted under their ids. */
export class GoneAgents {
  constructor(
    private readonly context: MasterContext,
    private readonly agents: Agents,
    private readonly operations: Operations,
  ) {}

  /** Requested by an operator. Resolves when it is durable, and also for an agent that is gone already. */
  async request(id: string): Promise<void> {
    const { cluster } = this.context;
    if (cluster.goneAgents.has(id)) return;
    const { markingGone, markingUnreachable, removing } = this.agents;
    if (markingGone.has(id)) throw busy(id, "already being transitioned to gone");
    if (removing.has(id)) throw busy(id, "being transitioned to removed");
    if (markingUnreachable.has(id)) throw busy(id, "being transitioned to unreachable");
    if (!cluster.knows(id)) {
      throw new TepuiError("TEPUI_OPERATOR_AGENT_UNKNOWN", { detail: `Agent '${id}' not found` });
    }
    await this.mark(id);
  }

  /** For an agent that this master knows and is not marking gone already. */
  async mark(id: string): Promise<void> {
    const { clock, logger, registry } = this.context;
    const { markingGone } = this.agents;
    const time = timeInfo(clock.now());
    logger.info({ agent: id }, "Marking an agent gone");
    markingGone.add(id);
    try {
      // False: it was removed in the meantime, so nothing is left to mark.
      if (!(await registry.apply({ kind: "mark-agent-gone", agentId: { value: id }, time }))) return;
    } finally {
      markingGone.delete(id);
    }
    this.marked(id, time);
  }

  private marked(id: string, time: TimeInfo): void {
    const { cluster, messages } = this.context;
    cluster.goneAgents.set(id, time);
    cluster.draining.delete(id);
    cluster.deactivatedAgents.delete(id);
    const agent = cluster.agents.get(id);
    if (agent !== undefined) {
      messages.shutdown(agent.pid, MESSAGE);
      this.operations.lost(agent, { state: OperationState.OPERATION_GONE_BY_OPERATOR, message: MESSAGE });
      this.agents.takeOut(agent, fateIn);
    } else if (cluster.recoveredAgents.delete(id)) {
      this.agents.tellLost(id);
    } else if (cluster.unreachableAgents.delete(id)) {
      this.endUnreachable(id);
    }
  }

  /** Tasks that could have come back with the agent never will. */
  private endUnreachable(id: string): void {
    const { cluster } = this.context;
    for (const [frameworkId, taskIds] of cluster.unreachableTasks.get(id) ?? []) {
      const framework = cluster.frameworks.get(frameworkId);
      for (const taskId of taskIds) {
        const task = framework?.unreachable.get(taskId);
        if (framework !== undefined && task !== undefined)
          this.agents.fates.endUnreachable(task, framework, fateIn(framework));
      }
    }
    cluster.forgetUnreachableTasks(id);
  }
}

const fateIn = ({ partitionAware }: Framework): TaskFate => ({
  state: partitionAware ? TaskState.TASK_GONE_BY_OPERATOR : TaskState.TASK_LOST,
  reason: partitionAware ? Reason.REASON_AGENT_REMOVED_BY_OPERATOR : Reason.REASON_AGENT_REMOVED,
  message: MESSAGE,
});

const busy = (id: string, state: string): TepuiError =>
  new TepuiError("TEPUI_OPERATOR_AGENT_BUSY", { detail: `Agent '${id}' is ${state}` });
