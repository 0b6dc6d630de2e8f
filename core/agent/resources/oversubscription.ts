import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import type { Resources } from "../../../sdk/resources/index.js";
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

/** Asks the estimator what can be lent besides, and tells the master when that, with what is lent already, has changed. */
export class Oversubscription {
  private timer: Timer | undefined;
  private stopped = false;

  constructor(private readonly options: OversubscriptionOptions) {}

  start(): void {
    void this.ask();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private async ask(): Promise<void> {
    const { state, estimator, clock, interval, logger } = this.options;
    // What is lent belongs to the measurement that the answer comes from: a task that comes or ends meanwhile must not count twice.
    let lent: Resources | undefined;
    const measure = () => {
      lent = revocableInUse(state);
      return resourceUsage(state);
    };
    try {
      const more = await estimator.oversubscribable(measure);
      if (!more.nonRevocable().isEmpty) logger.error(`the estimate '${more}' is not of revocable resources`);
      else if (!this.stopped) this.estimated((lent ?? revocableInUse(state)).add(more.unallocate()));
    } catch (error) {
      logger.error({ err: error }, "the resources that can be oversubscribed could not be estimated");
    }
    if (!this.stopped) this.timer = clock.setTimeout(() => void this.ask(), interval);
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
