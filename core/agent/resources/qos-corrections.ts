import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { QoSController, QoSCorrection } from "../../../sdk/contracts/qos-controller.js";
import { Rounds } from "../../../sdk/time/index.js";
import type { AgentState } from "../agent-state.js";
import { QOS_CORRECTION_INTERVAL_LEAST } from "../constants.js";
import type { Executor } from "../executors/executor.js";
import type { Executors } from "../executors/executors.js";
import type { Framework } from "../framework.js";
import { resourceUsage } from "./resource-usage.js";

export interface QoSCorrectionsOptions {
  readonly state: AgentState;
  readonly controller: QoSController;
  /** Milliseconds from one answer of the controller to the next question. */
  readonly interval: number;
  readonly executors: Executors;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Target {
  readonly framework: Framework;
  readonly executor: Executor;
}

/** Applies the corrections of the QoS controller. */
export class QoSCorrections {
  private readonly rounds: Rounds;

  constructor(private readonly options: QoSCorrectionsOptions) {
    const { clock, interval, logger } = options;
    this.rounds = new Rounds({
      clock,
      interval: Math.max(interval, QOS_CORRECTION_INTERVAL_LEAST),
      round: () => this.ask(),
      failed: (error) =>
        logger.warn({ err: error }, "the controller of the quality of service gave no corrections"),
    });
  }

  start(): void {
    this.rounds.startNow();
  }

  stop(): void {
    void this.rounds.stop();
  }

  private async ask(): Promise<void> {
    const { state, controller } = this.options;
    const corrections = await controller.corrections(() => resourceUsage(state));
    if (this.rounds.stopped) return;
    for (const correction of corrections) this.correct(correction);
  }

  private correct(correction: QoSCorrection): void {
    const { executors, logger } = this.options;
    const ids = { framework: correction.frameworkId, executor: correction.executorId };
    const target = this.target(correction);
    if (typeof target === "string") {
      logger.debug(ids, `a correction is ignored: ${target}`);
      return;
    }
    logger.info({ ...ids, container: target.executor.containerId.value }, "preempting an executor");
    executors.preempt(target.framework, target.executor);
  }

  /** The executor that a correction concerns, or why there is nothing to do. */
  private target({ frameworkId, executorId, containerId }: QoSCorrection): Target | string {
    const { state } = this.options;
    if (state.phase !== "serving") return "the agent is ending";
    const framework = state.frameworks.get(frameworkId);
    if (framework === undefined) return "there is no such framework";
    if (framework.terminating) return "the framework is being ended";
    const executor = framework.running.get(executorId);
    if (executor === undefined) return "there is no such executor";
    if (containerId !== undefined && containerId !== executor.containerId.value)
      return "the executor has another container by now";
    return executor.ending ? "the executor is ending already" : { framework, executor };
  }
}
