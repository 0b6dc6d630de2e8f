import { OperationState } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { MasterContext } from "../context.js";
import type { Framework } from "../frameworks/framework.js";
import type { OperationEntry } from "./operation-entry.js";

/**
 * The resources that operations set aside on their agents until they end, and what becomes of them then. Speculative operations set nothing
 * aside: they count as done when they start.
 */
export class OperationAccount {
  constructor(private readonly context: MasterContext) {}

  /** The framework uses the resources. */
  hold(entry: OperationEntry, agent: Agent, framework: Framework): void {
    if (entry.consumed.isEmpty || entry.ended) return;
    agent.addUsed(framework.id, entry.consumed);
    framework.addUsed(agent.id, entry.consumed);
  }

  /** No known framework uses the resources. Only unfinished operations set something aside. */
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

  /** The framework is here, or back. */
  adopt(entry: OperationEntry, agent: Agent, framework: Framework): void {
    if (!entry.orphan) return;
    entry.orphan = false;
    if (!entry.ended) this.changeTotal(agent, agent.total.add(entry.consumed.unallocate()));
    this.hold(entry, agent, framework);
  }

  /** The operation has ended: the resources it consumed have been converted, or are as before. */
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
