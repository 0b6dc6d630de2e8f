import type {
  CheckInfo,
  CheckStatusInfo,
  HealthCheck,
  TaskInfo,
  TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Checker, CheckTarget } from "../../../sdk/contracts/checker.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { type WantedCheck, wantedCheck, wantedHealthCheck } from "./check-kind.js";
import { CheckLoop, type CheckLoopOptions, type CheckTimes } from "./check-loop.js";
import { checkStatus, sameCheckStatus } from "./check-status.js";
import { Health } from "./health.js";

/** What is reported about a task's checks. */
export interface CheckListener {
  checked(status: CheckStatusInfo): void;
  /** @param kill the task failed too many checks in a row */
  health(healthy: boolean, kill: boolean): void;
}

/** A running task whose checks are to start. */
export interface CheckedTask {
  readonly info: TaskInfo;
  /** How long it has been running, in milliseconds. */
  readonly age: number;
  /** Its statuses from earlier runs of the agent, oldest first. */
  readonly reported: readonly TaskStatus[];
}

export interface RunningChecks {
  stop(): void;
}

export interface TaskChecksOptions {
  readonly checkers: ReadonlyMap<string, Checker>;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
  readonly logger: Logger;
}

const DELAY_SECONDS = 15;
const INTERVAL_SECONDS = 10;
const TIMEOUT_SECONDS = 20;

/** The checks and health checks of tasks that have no executor process of their own. */
export class TaskChecks {
  constructor(private readonly options: TaskChecksOptions) {}

  /** Why the task's checks cannot be performed here. */
  problem({ check, health_check }: Pick<TaskInfo, "check" | "health_check">): string | undefined {
    const kind = check && wantedCheck(check)?.kind;
    if (check !== undefined && !this.knows(kind))
      return `Checks of type '${kind ?? "UNKNOWN"}' are not supported by this agent`;
    const healthKind = health_check && wantedHealthCheck(health_check)?.kind;
    if (health_check !== undefined && !this.knows(healthKind))
      return `Health checks of type '${healthKind ?? "UNKNOWN"}' are not supported by this agent`;
    return undefined;
  }

  /** Undefined: the task has no checks. */
  start(task: CheckedTask, target: CheckTarget, listener: CheckListener): RunningChecks | undefined {
    const { check, health_check: health } = task.info;
    const loops: CheckLoop[] = [];
    // Health first: its verdict can make the other check pointless.
    if (health !== undefined) this.add(loops, this.health(task, { health, target, listener }));
    if (check !== undefined) this.add(loops, this.general(task, { check, target, listener }));
    if (loops.length === 0) return undefined;
    return {
      stop: () => {
        for (const loop of loops) loop.stop();
      },
    };
  }

  private health(
    { info, age, reported }: CheckedTask,
    of: { health: HealthCheck; target: CheckTarget; listener: CheckListener },
  ): CheckLoop | undefined {
    const { clock, logger } = this.options;
    const state = new Health(of.health, reported);
    const started = clock.monotonic() - age;
    return this.loop(of.health, wantedHealthCheck(of.health), {
      age,
      target: of.target,
      done: ({ healthy, message }) => {
        const verdict = state.take(healthy, clock.monotonic() - started);
        if (!healthy)
          logger.info(
            { task: info.task_id?.value, failures: state.consecutiveFailures },
            `a health check failed${verdict === undefined ? " in the grace period" : ""}: ${message}`,
          );
        if (verdict !== undefined) of.listener.health(verdict.healthy, verdict.kill);
      },
    });
  }

  private general(
    { info, age, reported }: CheckedTask,
    of: { check: CheckInfo; target: CheckTarget; listener: CheckListener },
  ): CheckLoop | undefined {
    let last = reported.at(-1)?.check_status ?? checkStatus(of.check);
    return this.loop(of.check, wantedCheck(of.check), {
      age,
      target: of.target,
      done: (outcome) => {
        const found = checkStatus(of.check, outcome);
        if (found === undefined || sameCheckStatus(found, last)) return;
        last = found;
        this.options.logger.debug(
          { task: info.task_id?.value },
          `a check has another result: ${outcome.message}`,
        );
        of.listener.checked(found);
      },
    });
  }

  private loop(
    times: Pick<HealthCheck, "delay_seconds" | "interval_seconds" | "timeout_seconds">,
    wanted: WantedCheck | undefined,
    { age, target, done }: Pick<CheckLoopOptions, "done"> & { age: number; target: CheckTarget },
  ): CheckLoop | undefined {
    const { checkers, clock } = this.options;
    const checker = wanted && checkers.get(wanted.kind);
    if (checker === undefined) return undefined;
    const inMs = timesOf(times);
    const check = checker.prepare(wanted!.spec, target);
    return new CheckLoop({ clock, check, times: inMs, done }, this.first(inMs, age));
  }

  /**
   * The delay counts from the start of the task. After the agent's restart it may be over, but not all tasks should be checked at the same
   * moment.
   */
  private first({ delay, interval }: CheckTimes, age: number): number {
    return age === 0 ? delay : Math.max(delay - age, this.options.random.next() * interval);
  }

  private add(loops: CheckLoop[], loop: CheckLoop | undefined): void {
    if (loop !== undefined) loops.push(loop);
  }

  private knows(kind: string | undefined): boolean {
    return kind !== undefined && this.options.checkers.has(kind);
  }
}

const timesOf = (
  given: Pick<HealthCheck, "delay_seconds" | "interval_seconds" | "timeout_seconds">,
): CheckTimes => ({
  delay: (given.delay_seconds ?? DELAY_SECONDS) * 1000,
  interval: (given.interval_seconds ?? INTERVAL_SECONDS) * 1000,
  timeout: (given.timeout_seconds ?? TIMEOUT_SECONDS) * 1000,
});
