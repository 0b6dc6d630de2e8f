import { extensionPoint } from "../plugin/extension-point.js";

/** A timer that is running. Cancelling one that has fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** The only source of time for state machines, so that a whole cluster can run on virtual time. All times are milliseconds. */
export interface Clock {
  /** Wall clock: milliseconds since the epoch, with a fraction. May jump; use it for what people and peers read. */
  now(): number;
  /** Milliseconds from an arbitrary start, with a fraction; never goes back. Use it to measure. */
  monotonic(): number;
  /** Calls `fn` once, no earlier than `ms` from now. Zero or less: as soon as possible, never within this call. */
  setTimeout(fn: () => void, ms: number): Timer;
  /** Calls `fn` every `ms` until cancelled. */
  setInterval(fn: () => void, ms: number): Timer;
}

export const Clock = extensionPoint<Clock, "one">("tepui.clock", { version: "1.0", cardinality: "one" });
