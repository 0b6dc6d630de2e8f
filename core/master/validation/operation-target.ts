import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { entryOf } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { Framework } from "../frameworks/framework.js";

/** Who asks for an operation, and where it is to be done. */
export interface OperationTarget {
  readonly agent: Agent;
  /** Undefined: an operator asks. */
  readonly framework: Framework | undefined;
  /** Undefined: anybody, as nobody is authenticated. */
  readonly principal: string | undefined;
}

/** The role that a resource is reserved for. */
export const roleOf = (message: Resource): string => entryOf(message).kind.reservationRole ?? "*";
