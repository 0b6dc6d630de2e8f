import { OperationState } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import type { Framework } from "../frameworks/framework.js";
import type { OperationEntry } from "./operation-entry.js";

/**
 * What operations set apart of their agents' resources until they end, and what becomes of it then. Speculative ones set nothing apart:
 * they are taken for done when they begin.
 */
export class OperationAccount {
  constructor(private readonly context: MasterContext) {}

  /** The framework uses it. */
  hold(entry: OperationEntry, agent: Agent, framework: Framework): void {
    if (entry.consumed.isEmpty || entry.ended) return;
    agent.addUsed(framework.id, entry.consumed);
    framework.addUsed(agent.id, entry.consumed);
  }

  /** Nobody that is known uses it. Only what is not done yet sets something apart. */
  orphan(entry: OperationEntry, agent: Agent): void {
    if (entry.speculative || entry.orphan) return;
    entry.orphan = true;
    if (!entry.ended) this.changeTotal(agent, agent.total.subtract(entry.consumed.unallocate()));
  }

  /** The framework is gone. */
  abandon(entry: OperationEntry, agent: Agent, framework: Framework): void {
    if (entry.speculative) return;
    if (!entry.ended) agent.subtractUsed(framework.id, entry.consumed);
    this.orphan(entry, agent);
  }

  /** The framework is (back) here. */
  adopt(entry: OperationEntry, agent: Agent, framework: Framework): void {
    if (!entry.orphan) return;
    entry.orphan = false;
    if (!entry.ended) this.changeTotal(agent, agent.total.add(entry.consumed.unallocate()));
    this.hold(entry, agent, framework);
  }

  /** It has ended: what it consumed is something else now, or as it was. */
  settle(entry: OperationEntry, agent: Agent): void {
    if (entry.speculative) return;
    const { allocator, cluster } = this.context;
    const { consumed, frameworkId } = entry;
    const done = entry.state === OperationState.OPERATION_FINISHED;
    const made = done ? Resources.of(entry.message.latest_status?.converted_resources ?? []) : consumed;
    if (entry.orphan) {
      this.changeTotal(agent, agent.total.add(made.unallocate()));
      return;
    }
    if (frameworkId === undefined || consumed.isEmpty) return;
    agent.subtractUsed(frameworkId, consumed);
    cluster.frameworks.get(frameworkId)?.subtractUsed(agent.id, consumed);
    if (done) {
      agent.total = agent.total.subtract(consumed.unallocate()).add(made.unallocate());
      allocator.updateAllocation({
        frameworkId,
        agentId: agent.id,
        conversions: [{ consumed, converted: made }],
      });
    }
    allocator.recover({ frameworkId, agentId: agent.id, resources: made });
  }

  private changeTotal(agent: Agent, total: Resources): void {
    agent.total = total;
    this.context.allocator.updateAgent({ id: agent.id, total });
  }
}
