import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import type { Resources } from "../../../sdk/resources/index.js";
import { Rounds } from "../../../sdk/time/index.js";
import type { AgentState } from "../agent-state.js";
import type { NamedMessage } from "../link/master-link.js";
import { updateMessage } from "../link/registration.js";
import type { ResourceVersion } from "../link/resource-version.js";
import { resourceUsage, revocableInUse } from "./resource-usage.js";

export interface OversubscriptionOptions {
  readonly state: AgentState;
  readonly estimator: ResourceEstimator;
  /** Milliseconds from one answer of the estimator to the next question. */
  readonly interval: number;
  readonly resourceVersion: Pick<ResourceVersion, "current">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registered: () => boolean;
  readonly send: (message: NamedMessage) => void;
}

/**
 * Asks the estimator for oversubscribable resources. Tells the master when these, together with the revocable resources in use, have
 * changed.
 */
export class Oversubscription {
  private readonly rounds: Rounds;

  constructor(private readonly options: OversubscriptionOptions) {
    const { clock, interval, logger } = options;
    this.rounds = new Rounds({
      clock,
      interval,
      round: () => this.ask(),
      failed: (error) =>
        logger.error({ err: error }, "the resources that can be oversubscribed could not be estimated"),
    });
  }

  start(): void {
    this.rounds.startNow();
  }

  stop(): void {
    void this.rounds.stop();
  }

  private async ask(): Promise<void> {
    const { state, estimator, logger } = this.options;
    // The resources in use must be those at the time of the estimate: a task that starts or ends in the meantime must not count twice.
    let lent: Resources | undefined;
    const measure = () => {
      lent = revocableInUse(state);
      return resourceUsage(state);
    };
    const more = await estimator.oversubscribable(measure);
    if (!more.nonRevocable().isEmpty) logger.error(`the estimate '${more}' is not of revocable resources`);
    else if (!this.rounds.stopped) this.estimated((lent ?? revocableInUse(state)).add(more.unallocate()));
  }

  private estimated(oversubscribed: Resources): void {
    const { state, resourceVersion, registered, logger, send } = this.options;
    const before = state.oversubscribed;
    state.oversubscribed = oversubscribed;
    if (before?.equals(oversubscribed) === true) return;
    if (!oversubscribed.isEmpty || before !== undefined)
      logger.info({ resources: String(oversubscribed) }, "other resources can be oversubscribed now");
    if (registered() && state.phase === "serving") send(updateMessage(state, resourceVersion));
  }
}
