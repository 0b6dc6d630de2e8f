import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { entryOf } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { Framework } from "../frameworks/framework.js";

/** Who requests an operation, and on which agent. */
export interface OperationTarget {
  readonly agent: Agent;
  /** Undefined: an operator. */
  readonly framework: Framework | undefined;
  /** Undefined: authentication is off. */
  readonly principal: string | undefined;
}

/** The role that a resource is reserved for. */
export const roleOf = (message: Resource): string => entryOf(message).kind.reservationRole ?? "*";
