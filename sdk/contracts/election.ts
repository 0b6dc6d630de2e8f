import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** A leadership, and what its holder can know about it from its own clock. */
export interface Tenure {
  /**
   * Must be checked before anything is done that others can see. False once another master may have been elected, even if nobody has said
   * so yet: a process that was stopped for a while first does whatever had been waiting for it.
   */
  holds(): boolean;
}

/** A master that stands for election, and is notified of the outcome. */
export interface Candidacy {
  /** Called once, when this master leads. @param tenure absent: it leads until `lost` is called */
  elected(tenure?: Tenure): void;
  /** Called once, when the leadership is lost: the master must stop acting at once. */
  lost(reason: string): void;
}

/** Contending for leadership and following who leads. */
export interface Election {
  /** Enters the race, with the info that others will see. Returns a function that withdraws. */
  contend(info: MasterInfo, candidacy: Candidacy): () => Promise<void>;
  /** Reports the current leader at once and after each change; `undefined`: unknown. Returns a function that ends the watch. */
  watch(changed: (leader: MasterInfo | undefined) => void): () => void;
}

export const Election = extensionPoint<Election, "one">("tepui.election", {
  version: "1.0",
  cardinality: "one",
});
