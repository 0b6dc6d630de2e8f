import {
  type HealthCheck,
  TaskStatus_Reason as Reason,
  type TaskInfo,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";

const GRACE_SECONDS = 10;
const FAILURES = 3;

export interface HealthVerdict {
  readonly healthy: boolean;
  /** The task failed too many checks in a row. */
  readonly kill: boolean;
}

/** What follows from the results of a task's health checks, by the rules of Mesos's executors. */
export class Health {
  private failures = 0;
  /** No check has succeeded yet. */
  private initializing = true;

  constructor(
    private readonly check: Pick<HealthCheck, "grace_period_seconds" | "consecutive_failures">,
    reported: readonly TaskStatus[] = [],
  ) {
    // The health that was reported before the agent restarted: every failure that counted was reported.
    for (const { reason, healthy } of reported) {
      if (reason !== Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED) continue;
      this.initializing &&= healthy !== true;
      this.failures = healthy === true ? 0 : this.failures + 1;
    }
  }

  get consecutiveFailures(): number {
    return this.failures;
  }

  get failedTooOften(): boolean {
    // With 0, the first failure counts: as in Mesos, no value means "never".
    return this.failures > 0 && this.failures >= (this.check.consecutive_failures ?? FAILURES);
  }

  /**
   * Undefined: there is nothing to report.
   *
   * @param age how long the task has been running, in milliseconds
   */
  take(healthy: boolean, age: number): HealthVerdict | undefined {
    if (healthy) {
      const news = this.initializing || this.failures > 0;
      this.initializing = false;
      this.failures = 0;
      return news ? { healthy: true, kill: false } : undefined;
    }
    const grace = (this.check.grace_period_seconds ?? GRACE_SECONDS) * 1000;
    if (this.initializing && grace > 0 && age <= grace) return undefined;
    this.failures++;
    return { healthy: false, kill: this.failedTooOften };
  }
}

/** Whether the health in these statuses required that the task be killed. */
export const failedTooOften = ({ health_check }: TaskInfo, reported: readonly TaskStatus[]): boolean =>
  health_check !== undefined && new Health(health_check, reported).failedTooOften;
