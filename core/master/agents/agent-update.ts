import type { UpdateSlaveMessage } from "../../../proto/gen/mesos/internal/messages.js";
import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources, resourceText, validateResources } from "../../../sdk/resources/index.js";
import type { MasterContext } from "../context.js";
import type { Offers } from "../offers/offers.js";
import type { Operations } from "../operations/operations.js";
import type { Draining } from "../operator/draining.js";
import type { Agent } from "./agent.js";
import type { Agents } from "./agents.js";

/** UpdateSlaveMessage: what an agent has in addition to its own resources, which are revocable ones and those of resource providers. */
export class AgentUpdates {
  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly collaborators: {
      readonly agents: Agents;
      readonly operations: Operations;
      readonly draining: Draining;
    },
  ) {}

  update(agent: Agent, message: UpdateSlaveMessage): void {
    this.apply(agent, message);
    this.collaborators.agents.updated(agent);
    this.collaborators.draining.changed(agent);
  }

  private apply(agent: Agent, message: UpdateSlaveMessage): void {
    const { allocator, logger } = this.context;
    const providers = message.resource_providers?.providers;
    const provided = providers?.flatMap(({ total_resources: resources }) => resources) ?? [];
    const problem =
      validateResources([...message.oversubscribed_resources, ...provided]) ??
      notRevocable(message.oversubscribed_resources);
    if (problem !== undefined) {
      logger.warn({ agent: agent.id, problem }, "Dropped an agent's update");
      return;
    }
    agent.resourceVersion = message.resource_version_uuid ?? agent.resourceVersion;
    const reported = [...(message.operations?.operations ?? [])];
    if (providers !== undefined) {
      agent.providers.clear();
      for (const { info, operations, resource_version_uuid: version } of providers) {
        agent.providers.set(info?.id?.value ?? "", version);
        reported.push(...(operations?.operations ?? []));
      }
    }
    // Agents before 1.5 do not set this field: they always send the oversubscribed resources.
    const oversubscription = message.update_oversubscribed_resources ?? true;
    let total = agent.total;
    if (oversubscription) {
      total = total.nonRevocable().add(Resources.of(message.oversubscribed_resources));
    }
    if (providers !== undefined) {
      total = total.filter(({ kind }) => kind.providerId === undefined).add(Resources.of(provided));
    }
    if (total.equals(agent.total)) {
      this.collaborators.operations.reported(agent, reported);
      return;
    }
    agent.total = total;
    allocator.updateAgent({ id: agent.id, total });
    this.collaborators.operations.reported(agent, reported);
    this.rescind(agent, { oversubscription, providers: providers !== undefined });
  }

  /** Rescinds offers of resources that have changed. */
  private rescind(agent: Agent, changed: { oversubscription: boolean; providers: boolean }): void {
    for (const offer of [...agent.offers]) {
      const affected = offer.resources.entries.some(
        ({ kind }) =>
          (changed.oversubscription && kind.revocable) ||
          (changed.providers && kind.providerId !== undefined),
      );
      if (affected) this.offers.rescind(offer);
    }
  }
}

/** Anything else would be added to the agent's own resources with every update. */
function notRevocable(resources: readonly Resource[]): string | undefined {
  const wrong = resources.find(({ revocable }) => revocable === undefined);
  return wrong && `Oversubscribed resource ${resourceText(wrong)} is not revocable`;
}
