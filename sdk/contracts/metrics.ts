import { extensionPoint } from "../plugin/extension-point.js";

/** A number that its owner changes. Mostly it grows; `set` is for those that follow a figure. */
export interface Counter {
  readonly value: number;
  inc(amount?: number): void;
  set(value: number): void;
}

/** Measures how long something takes. Published as the latest `<name>_ms` and statistics over the recent values. */
export interface MetricTimer {
  /** Adds one measured duration, in milliseconds. */
  record(ms: number): void;
  /** Starts to measure; the returned function ends it and returns the milliseconds. */
  start(): () => number;
}

/** A registry of metrics. Names are paths, as in Mesos: `master/tasks_running`. */
export interface Metrics {
  /** The counter of this name, made at the first call. */
  counter(name: string): Counter;
  /** A value read when a snapshot is taken; one that throws or is not finite is left out of it. Replaces an earlier gauge. */
  gauge(name: string, read: () => number): void;
  /** The timer of this name, made at the first call. */
  timer(name: string): MetricTimer;
  /** Forgets the metric, of whatever type; a timer with its statistics. */
  remove(name: string): void;
  /** A view in which every name is prefixed. */
  scope(prefix: string): Metrics;
  /** Every metric of this view as numbers, sorted by full name. */
  snapshot(): ReadonlyMap<string, number>;
}

export const Metrics = extensionPoint<Metrics, "one">("tepui.metrics", {
  version: "1.0",
  cardinality: "one",
});
