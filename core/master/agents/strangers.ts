import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { BoundedMap } from "../bounded-map.js";

/** A sender is not mentioned again for this long. */
const QUIET_MS = 60_000;

/** The number of senders that are remembered. */
const CAPACITY = 10_000;

/** Logs messages that nobody can use: once a minute per sender, however many it sends. */
export class Strangers {
  private readonly reported = new BoundedMap<string, number>(CAPACITY);

  constructor(private readonly deps: { readonly clock: Clock; readonly logger: Logger }) {}

  report(from: string, problem: string, err?: unknown): void {
    const { clock, logger } = this.deps;
    const now = clock.monotonic();
    const last = this.reported.get(from);
    if (last !== undefined && now - last < QUIET_MS) return;
    this.reported.set(from, now);
    logger.warn(err === undefined ? { from, problem } : { from, problem, err }, "Dropped a message");
  }
}
