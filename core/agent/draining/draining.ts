import type { DrainConfig, KillPolicy } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk } from "../disk/operations.js";
import type { Executor } from "../executors/executor.js";
import type { Executors } from "../executors/executors.js";
import type { Framework } from "../framework.js";
import type { UpdateManager } from "../updates/update-manager.js";

export interface DrainingOptions {
  readonly state: AgentState;
  readonly executors: Executors;
  readonly updates: UpdateManager;
  readonly checkpoints: Checkpoints;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Drains the agent on the master's request: kills every task and accepts none until the last end is acknowledged. After that the agent is
 * back to normal; the master keeps tasks away from it.
 */
export class Draining {
  constructor(private readonly options: DrainingOptions) {}

  /** The master repeats this whenever the agent re-registers. A new config replaces the old one. */
  async start(config: DrainConfig): Promise<void> {
    const { state, checkpoints, clock, disk, logger } = this.options;
    if (this.isEmpty) {
      logger.info("asked to drain: nothing runs here");
      return;
    }
    logger.info({ config }, "draining");
    // No task is accepted from now on, but none is killed before a later run of the agent would know why.
    state.draining = { config, since: clock.now() / 1000 };
    try {
      await disk.apply(checkpoints.drainConfig(state.id, config));
    } catch (error) {
      // The master will repeat it to the next run.
      logger.error({ err: error }, "that this agent drains could not be written down");
    }
    this.killAll();
  }

  /** Resumes the draining that an earlier run began; status updates mention it from now on. */
  restore(config: DrainConfig): void {
    this.options.state.draining = { config, since: this.options.clock.now() / 1000 };
  }

  /** Called once it is known what still runs. */
  resume(): void {
    if (this.options.state.draining === undefined) return;
    this.killAll();
    this.check();
  }

  /** Something has ended: perhaps it was the last. */
  check(): void {
    const { state, checkpoints, disk, logger } = this.options;
    if (state.draining === undefined || !this.isEmpty) return;
    logger.info("drained");
    state.draining = undefined;
    disk
      .apply(checkpoints.drained(state.id))
      .catch((error: unknown) =>
        logger.error({ err: error }, "that this agent is drained could not be written down"),
      );
  }

  /** As the master sees it: executors without tasks may stay. */
  private get isEmpty(): boolean {
    const { state, updates } = this.options;
    if (state.operations.size > 0) return false;
    for (const executor of state.executors()) if (executor.incomplete) return false;
    for (const { id } of state.frameworks.values()) if (updates.hasPending(id)) return false;
    return true;
  }

  private killAll(): void {
    const { state } = this.options;
    for (const framework of [...state.frameworks.values()]) {
      if (framework.terminating) continue;
      for (const executor of [...framework.running.values()]) this.killTasks(framework, executor);
    }
  }

  private killTasks(framework: Framework, executor: Executor): void {
    const config = this.options.state.draining?.config ?? {};
    for (const [taskId, { kill_policy }] of [...executor.launched, ...executor.queued]) {
      // The first task of a group takes the others along.
      if (!executor.launched.has(taskId) && !executor.queued.has(taskId)) continue;
      this.options.executors.kill(framework, executor, { taskId, policy: cappedPolicy(kill_policy, config) });
    }
  }
}

/** The kill policy to use if the task's own has no grace period, or a longer one than allowed. */
export function cappedPolicy(
  own: KillPolicy | undefined,
  { max_grace_period: most }: DrainConfig,
): KillPolicy | undefined {
  if (most?.nanoseconds === undefined) return undefined;
  const grace = own?.grace_period?.nanoseconds;
  return grace === undefined || grace > most.nanoseconds ? { grace_period: most } : undefined;
}
