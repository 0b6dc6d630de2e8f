import type { InverseOffer, Unavailability } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Agent } from "../agents/agent.js";
import type { Framework } from "../frameworks/framework.js";

export interface InverseOfferParts {
  readonly id: string;
  readonly framework: Framework;
  readonly agent: Agent;
  readonly unavailability: Unavailability;
  /** Milliseconds, by the monotonic clock. */
  readonly madeAt: number;
}

/** An unanswered question: can a framework do without what it has on an agent from a certain time on? */
export class InverseOfferEntry {
  readonly id: string;
  readonly framework: Framework;
  readonly agent: Agent;
  readonly madeAt: number;
  readonly message: InverseOffer;

  constructor({ id, framework, agent, unavailability, madeAt }: InverseOfferParts) {
    this.id = id;
    this.framework = framework;
    this.agent = agent;
    this.madeAt = madeAt;
    // Without resources: it asks about everything the framework has there.
    this.message = {
      id: { value: id },
      framework_id: framework.idMessage,
      agent_id: agent.idMessage,
      url: agent.url,
      unavailability,
      resources: [],
    };
  }
}
