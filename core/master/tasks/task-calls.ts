import type {
  Call_Acknowledge,
  Call_Kill,
  Call_Message,
  Call_Shutdown,
} from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import type { Framework } from "../frameworks/framework.js";
import { getOrAdd } from "../get-or-add.js";
import type { Reconciliation } from "./reconcile.js";

/** The calls about running tasks and executors: KILL, SHUTDOWN, ACKNOWLEDGE, MESSAGE. */
export class TaskCalls {
  constructor(
    private readonly context: MasterContext,
    private readonly reconciliation: Reconciliation,
  ) {}

  /** An unknown task is answered as in reconciliation. */
  kill(framework: Framework, call: Call_Kill): void {
    const { cluster, metrics, messages, logger } = this.context;
    metrics.counters.messages_kill_task.inc();
    const taskId = call.task_id?.value ?? "";
    const task = framework.taskEntries.get(taskId);
    if (task === undefined) {
      this.reconciliation.explicit(framework, [{ task_id: call.task_id, agent_id: call.agent_id }]);
      return;
    }
    if (call.agent_id !== undefined && call.agent_id.value !== task.agentId) {
      logger.warn(
        { framework: framework.id, task: taskId },
        "Cannot kill a task: it belongs to another agent",
      );
      return;
    }
    const agent = cluster.agents.get(task.agentId);
    if (agent === undefined) return;
    // Noted in any case: the agent may be unreachable without the master knowing yet.
    getOrAdd(agent.killedTasks, framework.id, () => new Set()).add(taskId);
    if (!agent.connected) {
      logger.warn({ task: taskId, agent: agent.id }, "Cannot kill a task now: its agent is disconnected");
      return;
    }
    messages.killTask(agent, {
      framework_id: framework.idMessage,
      task_id: { value: taskId },
      kill_policy: call.kill_policy,
    });
  }

  shutdown(framework: Framework, call: Call_Shutdown): void {
    const agent = this.context.cluster.agents.get(call.agent_id?.value ?? "");
    if (agent === undefined) {
      this.context.logger.warn(
        { framework: framework.id, agent: call.agent_id?.value },
        "Cannot shut an executor down: its agent is unknown",
      );
      return;
    }
    this.context.messages.shutdownExecutor(agent, {
      executor_id: call.executor_id,
      framework_id: framework.idMessage,
    });
  }

  /** Forwarded to the agent. A task is forgotten once its terminal update is acknowledged. */
  acknowledge(framework: Framework, call: Call_Acknowledge): void {
    const { counters } = this.context.metrics;
    counters.messages_status_update_acknowledgement.inc();
    const agent = this.reachable(call.agent_id?.value);
    const uuid = call.uuid;
    if (agent === undefined || uuid === undefined) {
      counters.invalid_status_update_acknowledgements.inc();
      return;
    }
    const task = agent.task(framework.id, call.task_id?.value ?? "");
    if (task !== undefined) {
      const { status_update_state: state, status_update_uuid: toldUuid } = task.message;
      if (state === undefined || toldUuid === undefined) {
        // Meant for an earlier master: the agent will resend the update.
        counters.invalid_status_update_acknowledgements.inc();
        return;
      }
      if (isTerminal(state) && uuid.equals(toldUuid)) this.context.ledger.removeTask(task);
    }
    this.context.messages.acknowledge(agent, {
      slave_id: agent.idMessage,
      framework_id: framework.idMessage,
      task_id: call.task_id,
      uuid,
    });
    counters.valid_status_update_acknowledgements.inc();
  }

  message(framework: Framework, call: Call_Message): void {
    const { counters } = this.context.metrics;
    counters.messages_framework_to_executor.inc();
    const agent = this.reachable(call.agent_id?.value);
    if (agent === undefined) {
      counters.invalid_framework_to_executor_messages.inc();
      return;
    }
    this.context.messages.frameworkToExecutor(agent, {
      slave_id: agent.idMessage,
      framework_id: framework.idMessage,
      executor_id: call.executor_id,
      data: call.data,
    });
    counters.valid_framework_to_executor_messages.inc();
  }

  private reachable(agentId: string | undefined): Agent | undefined {
    const agent = this.context.cluster.agents.get(agentId ?? "");
    if (agent?.connected) return agent;
    const problem = agent === undefined ? "is not registered" : "is disconnected";
    this.context.logger.warn({ agent: agentId }, `Cannot pass on a scheduler's call: the agent ${problem}`);
    return undefined;
  }
}
