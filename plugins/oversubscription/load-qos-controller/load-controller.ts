import type { Logger } from "../../../sdk/contracts/logger.js";
import type { QoSController, QoSCorrection } from "../../../sdk/contracts/qos-controller.js";
import type { MeasureUsage } from "../../../sdk/contracts/resource-estimator.js";
import { Resources } from "../../../sdk/resources/index.js";

/** Average numbers of processes that run or want to; undefined: not looked at. */
export interface LoadThresholds {
  readonly fiveMinutes: number | undefined;
  readonly fifteenMinutes: number | undefined;
}

export interface LoadControllerOptions {
  readonly thresholds: LoadThresholds;
  /** Averages over 1, 5 and 15 minutes. */
  readonly load: () => readonly number[];
  readonly logger: Logger;
}

/** Ends everything that runs on revocable resources while the load of the host is above a threshold. */
export class LoadController implements QoSController {
  private overloaded = false;

  constructor(private readonly options: LoadControllerOptions) {}

  async corrections(measure: MeasureUsage): Promise<readonly QoSCorrection[]> {
    if (!this.look()) return [];
    const { executors } = await measure();
    return executors
      .filter(({ allocated }) => !Resources.of(allocated).revocable().isEmpty)
      .map(({ executor_info: info, container_id: container }) => ({
        kind: "kill",
        frameworkId: info?.framework_id?.value ?? "",
        executorId: info?.executor_id?.value ?? "",
        containerId: container?.value,
      }));
  }

  /** Whether the host has too much to do; said when it changes, since the question comes often. */
  private look(): boolean {
    const { thresholds, load, logger } = this.options;
    const [, five = 0, fifteen = 0] = load();
    const above = (average: number, threshold: number | undefined): boolean =>
      threshold !== undefined && average > threshold;
    const overloaded = above(five, thresholds.fiveMinutes) || above(fifteen, thresholds.fifteenMinutes);
    if (overloaded !== this.overloaded) {
      const facts = { five, fifteen, thresholds };
      if (overloaded) logger.info(facts, "the load is above its threshold: tasks on revocable resources end");
      else logger.info(facts, "the load is below its thresholds again");
    }
    this.overloaded = overloaded;
    return overloaded;
  }
}
