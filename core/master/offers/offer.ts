import type { Offer } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { Framework } from "../frameworks/framework.js";

export interface OfferParts {
  readonly id: string;
  readonly framework: Framework;
  readonly agent: Agent;
  readonly role: string;
  /** Allocated to `role`. */
  readonly resources: Resources;
  /** Milliseconds, by the monotonic clock. */
  readonly madeAt: number;
}

/** An outstanding offer: resources of one agent, offered to one framework in one role. */
export class OfferEntry {
  readonly id: string;
  readonly framework: Framework;
  readonly agent: Agent;
  readonly role: string;
  readonly resources: Resources;
  readonly madeAt: number;
  #message: Offer | undefined;

  constructor(parts: OfferParts) {
    this.id = parts.id;
    this.framework = parts.framework;
    this.agent = parts.agent;
    this.role = parts.role;
    this.resources = parts.resources;
    this.madeAt = parts.madeAt;
  }

  /** The offer as operators see it: every field, resources in the post-refinement format. */
  get message(): Offer {
    this.#message ??= this.compose();
    return this.#message;
  }

  /**
   * The offer in the form that matches the framework's capabilities: without RESERVATION_REFINEMENT, resources are in the old format;
   * without MULTI_ROLE, they do not say which role they are allocated to.
   */
  forFramework(): Offer {
    const { multiRole, reservationRefinement } = this.framework;
    if (multiRole && reservationRefinement) return this.message;
    const resources = multiRole ? this.resources : this.resources.unallocate();
    const offer = this.compose();
    offer.resources = resources.toMessages(reservationRefinement ? "post-refinement" : "pre-refinement");
    if (!multiRole) delete offer.allocation_info;
    return offer;
  }

  private compose(): Offer {
    const { agent, framework } = this;
    const offer: Offer = {
      id: { value: this.id },
      framework_id: framework.idMessage,
      agent_id: agent.idMessage,
      hostname: agent.info.hostname ?? "",
      url: agent.url,
      resources: this.resources.toMessages(),
      attributes: agent.info.attributes,
      executor_ids: agent.executorIds(framework.id),
      allocation_info: { role: this.role },
    };
    if (agent.info.domain !== undefined) offer.domain = agent.info.domain;
    if (agent.unavailability !== undefined) offer.unavailability = agent.unavailability;
    return offer;
  }
}
