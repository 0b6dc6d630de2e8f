import type { AgentInfo, DrainInfo, TimeInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Agent } from "./agents/agent.js";
import { BoundedMap } from "./bounded-map.js";
import { MAX_REMOVED_AGENTS } from "./constants.js";
import type { Framework } from "./frameworks/framework.js";
import type { InverseOfferEntry } from "./offers/inverse-offer.js";
import type { OfferEntry } from "./offers/offer.js";
import { Machines } from "./operator/machines.js";

/**
 * Everything the leading master knows, by id. Only collections: the rules are in the state machines around it.
 *
 * An agent is in at most one of `agents`, `recoveredAgents`, `unreachableAgents` and `goneAgents`.
 */
export class Cluster {
  readonly frameworks = new Map<string, Framework>();
  readonly completedFrameworks: BoundedMap<string, Framework>;
  /** In the order in which they were made. */
  readonly offers = new Map<string, OfferEntry>();
  readonly inverseOffers = new Map<string, InverseOfferEntry>();
  readonly machines = new Machines();

  readonly agents = new Map<string, Agent>();
  readonly agentsByPid = new Map<string, Agent>();
  /** In the registry, but not back since this master leads. */
  readonly recoveredAgents = new Map<string, AgentInfo>();
  /** The time at which each became unreachable; oldest first. */
  readonly unreachableAgents = new Map<string, TimeInfo>();
  readonly goneAgents = new Map<string, TimeInfo>();
  /** They get no tasks when they come back either. */
  readonly deactivatedAgents = new Set<string>();
  /** Draining or drained, including agents that are away. */
  readonly draining = new Map<string, DrainInfo>();
  readonly removedAgents = new BoundedMap<string, true>(MAX_REMOVED_AGENTS);
  /** Agent id -> framework id -> ids of the tasks that became unreachable with the agent. */
  readonly unreachableTasks = new Map<string, Map<string, string[]>>();

  constructor(maxCompletedFrameworks: number) {
    this.completedFrameworks = new BoundedMap(maxCompletedFrameworks, (framework) =>
      framework.metrics.remove(),
    );
  }

  /** Registered, awaited or unreachable: an agent that operators can decide about. */
  knows(agentId: string): boolean {
    return (
      this.agents.has(agentId) || this.recoveredAgents.has(agentId) || this.unreachableAgents.has(agentId)
    );
  }

  /** The tasks of this agent can be reached again, or nobody remembers them. */
  forgetUnreachableTasks(agentId: string): void {
    const byFramework = this.unreachableTasks.get(agentId);
    if (byFramework === undefined) return;
    this.unreachableTasks.delete(agentId);
    for (const [frameworkId, taskIds] of byFramework) {
      const unreachable = this.frameworks.get(frameworkId)?.unreachable;
      for (const taskId of taskIds) unreachable?.delete(taskId);
    }
  }
}
