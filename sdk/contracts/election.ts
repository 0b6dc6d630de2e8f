import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";

export interface Candidacy {
  /** Called once when this master leads. */
  elected(): void;
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
