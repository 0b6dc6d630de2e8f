import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** A leadership that is held, as the one that holds it may know by its own clock. */
export interface Tenure {
  /**
   * To be asked before anything is done that others see. False once the leadership may have passed to another, also where nobody has come to
   * say so yet: a process that was stopped for a while first does what had been waiting for it.
   */
  holds(): boolean;
}

/** A master that stands for election, and hears how it fares. */
export interface Candidacy {
  /** Called once when this master leads. @param tenure absent: until `lost` is called */
  elected(tenure?: Tenure): void;
  /** Called once when a held leadership is gone: the master must stop acting at once. */
  lost(reason: string): void;
}

/** Contending for leadership and following who leads. */
export interface Election {
  /** Enters the race with what others shall see. Returns the withdrawal. */
  contend(info: MasterInfo, candidacy: Candidacy): () => Promise<void>;
  /** Reports the current leader at once and on each change; `undefined`: none known. Returns the undo. */
  watch(changed: (leader: MasterInfo | undefined) => void): () => void;
}

export const Election = extensionPoint<Election, "one">("tepui.election", {
  version: "1.0",
  cardinality: "one",
});
