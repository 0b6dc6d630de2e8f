import type { Measure } from "../accounts/measure.js";

/** Resources that a client holds on one agent. */
export interface Holding {
  readonly agentId: string;
  readonly measure: Measure;
}

/** A client's place in a sorter. */
export interface Seat {
  /** Only active clients get turns; new ones are not active. */
  setActive(active: boolean): void;
  allocated(holding: Holding): void;
  unallocated(holding: Holding): void;
  /** The client must hold nothing any more. */
  remove(): void;
  /** The client's dominant share, weights apart; undefined where the sorter knows no shares. */
  share(): number | undefined;
}

/** Decides whose turn it is. Clients have paths (`prod/web`): a role tree, or a flat set of framework ids. */
export interface Sorter<C> {
  add(path: string, client: C): Seat;
  /** Weight of a path among its siblings, for now and later; 1 unless set. */
  setWeight(path: string, weight: number): void;
  weight(path: string): number;
  /** Begins a new round. */
  rewind(): void;
  /**
   * The next active client of this round, or undefined at its end. What clients are given during a round changes later rounds only.
   * Costs as much as is asked for: whoever stops after the first pays for one.
   */
  next(): C | undefined;
}

export type SorterKind = "drf" | "random";

/** All clients of one round, next in turn first. */
export function roundOf<C>(sorter: Sorter<C>): C[] {
  const clients: C[] = [];
  sorter.rewind();
  for (let client = sorter.next(); client !== undefined; client = sorter.next()) clients.push(client);
  return clients;
}
