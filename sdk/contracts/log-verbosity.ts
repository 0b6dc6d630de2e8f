import { extensionPoint } from "../plugin/extension-point.js";
import type { Clock, Timer } from "./clock.js";

/** How closely the daemon's log follows what happens: 0 as its flags say; from 1 on, lines of the severity `debug` are written, too. */
export interface LogVerbosity {
  readonly level: number;
  /** The level for so many milliseconds from now on, after which it is 0 again. A later call takes the place of an earlier one. */
  set(level: number, duration: number): void;
}

export const LogVerbosity = extensionPoint<LogVerbosity, "one">("tepui.log-verbosity", {
  version: "1.0",
  cardinality: "one",
});

export class TimedVerbosity implements LogVerbosity {
  private current = 0;
  private end: Timer | undefined;

  constructor(private readonly clock: Clock) {}

  get level(): number {
    return this.current;
  }

  set(level: number, duration: number): void {
    this.end?.cancel();
    this.current = level;
    if (level === 0) return;
    this.end = this.clock.setTimeout(() => {
      this.current = 0;
    }, duration);
  }
}
