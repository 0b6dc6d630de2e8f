import type { Measure } from "../measure.js";

/** Resources that a client holds on one agent. */
export interface Holding {
  readonly agentId: string;
  readonly measure: Measure;
}

/**
 * Decides whose turn it is. Clients are paths (`prod/web`): a role tree, or a flat set of framework ids. Every method but `add`
 * wants a client that was added.
 */
export interface Sorter {
  add(client: string): void;
  /** The client must hold nothing any more. */
  remove(client: string): void;
  has(client: string): boolean;
  /** Only active clients are in `order`; new ones are not active. */
  setActive(client: string, active: boolean): void;
  allocated(client: string, holding: Holding): void;
  unallocated(client: string, holding: Holding): void;
  /** Weight of a path among its siblings, for now and later; 1 unless set. */
  setWeight(path: string, weight: number): void;
  /** Active clients, next in turn first. The list is not changed afterwards; a later call may give another one. */
  order(): readonly string[];
  /** The client's dominant share, weights apart; undefined where the sorter knows no shares. */
  share(client: string): number | undefined;
}

export type SorterKind = "drf" | "random";
