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
 * Empties the agent on the master's word: every task is killed, and none is taken, until the last end is acknowledged. After that the
 * agent is as before; the master keeps tasks from it.
 */
export class Draining {
  constructor(private readonly options: DrainingOptions) {}

  /** Said again whenever the agent registers again. Another config takes the place of the one before. */
  async start(config: DrainConfig): Promise<void> {
    const { state, checkpoints, clock, disk, logger } = this.options;
    if (this.isEmpty) {
      logger.info("asked to drain: nothing runs here");
      return;
    }
    logger.info({ config }, "draining");
    // No task is taken from now on; none is killed before a later run of the agent would know why.
    state.draining = { config, since: clock.now() / 1000 };
    try {
      await disk.apply(checkpoints.drainConfig(state.id, config));
    } catch (error) {
      // The master says it again to that run.
      logger.error({ err: error }, "that this agent drains could not be written down");
    }
    this.killAll();
  }

  /** Takes up what an earlier run had begun; from now on statuses say so. */
  restore(config: DrainConfig): void {
    this.options.state.draining = { config, since: this.options.clock.now() / 1000 };
  }

  /** Once it is known what still runs. */
  resume(): void {
    if (this.options.state.draining === undefined) return;
    this.killAll();
    this.check();
  }

  /** Something is over: perhaps it was the last. */
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

  /** As the master sees it: executors may stay that have no task. */
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
      // Of tasks that are launched together the first one takes the others along.
      if (!executor.launched.has(taskId) && !executor.queued.has(taskId)) continue;
      this.options.executors.kill(framework, executor, { taskId, policy: cappedPolicy(kill_policy, config) });
    }
  }
}

/** The policy in place of a task's own, where that one has no grace period or a longer one than is allowed. */
export function cappedPolicy(
  own: KillPolicy | undefined,
  { max_grace_period: most }: DrainConfig,
): KillPolicy | undefined {
  if (most?.nanoseconds === undefined) return undefined;
  const grace = own?.grace_period?.nanoseconds;
  return grace === undefined || grace > most.nanoseconds ? { grace_period: most } : undefined;
}
