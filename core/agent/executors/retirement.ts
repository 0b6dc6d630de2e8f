import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk } from "../disk/operations.js";
import type { Framework } from "../framework.js";
import type { GarbageCollector } from "../garbage-collector.js";
import type { AgentOptions } from "../options.js";
import type { AgentPaths } from "../paths.js";
import { Repairs } from "../repairs.js";
import type { UpdateManager } from "../updates/update-manager.js";
import type { Executor } from "./executor.js";

/** An executor that has ended, and the directories that are no longer used. */
interface Ended {
  readonly framework: Framework;
  readonly executor: Executor;
  readonly unused: readonly string[];
}

export interface RetirementOptions {
  readonly state: AgentState;
  readonly updates: UpdateManager;
  readonly checkpoints: Checkpoints;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly gc: GarbageCollector;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly agent: AgentOptions;
  /** Lets the containerizer remove what it keeps of an executor's container. */
  readonly destroy: (executor: Executor) => void;
  /** The container of an executor has ended for good. */
  readonly forgotten: (containerId: ContainerID) => void;
  /** The last framework is gone. */
  readonly idle: () => void;
}

/**
 * Moves executors that have ended, and then frameworks without any, from the live state to the history; schedules their files for removal.
 */
export class Retirement {
  /** Executors whose end could not be written. */
  private readonly repairs: Repairs<Ended>;

  constructor(private readonly options: RetirementOptions) {
    this.repairs = new Repairs(options.clock, (ended) => this.noteEnd(ended));
  }

  /** The agent is stopping. */
  stop(): void {
    this.repairs.stop();
  }

  remove(framework: Framework, executor: Executor): void {
    const { gc, paths, agent, destroy, forgotten } = this.options;
    const { ids } = executor;
    executor.stopTimers();
    executor.command?.stop();
    // It stays in the history for a while, without what only a live executor needs.
    executor.command = undefined;
    // The container has ended. This removes its runtime files, which recovery might have needed until now.
    destroy(executor);
    forgotten(executor.containerId);
    const layouts = executor.checkpoint ? [paths.work, paths.meta] : [paths.work];
    const unused = layouts.flatMap((layout) => [layout.run(ids), layout.executor(ids)]);
    for (const path of unused) gc.schedule(path);
    this.noteEnd({ framework, executor, unused });
    framework.running.delete(executor.id);
    if (agent.maxCompletedExecutorsPerFramework > 0) {
      framework.completed.push(executor);
      if (framework.completed.length > agent.maxCompletedExecutorsPerFramework) framework.completed.shift();
    }
    this.removeIfIdle(framework);
  }

  removeIfIdle(framework: Framework): void {
    const { state, updates, gc, paths, logger } = this.options;
    if (!framework.idle || state.frameworks.get(framework.id) !== framework) return;
    // Updates that belong to no executor must still be delivered.
    if (!framework.terminating && updates.hasPending(framework.id)) return;
    logger.info({ framework: framework.id }, "cleaning a framework up");
    updates.forget(framework.id);
    const ids = { agentId: state.id, frameworkId: framework.id };
    gc.schedule(paths.work.framework(ids));
    if (framework.checkpoint) gc.schedule(paths.meta.framework(ids));
    state.completeFramework(framework);
    if (state.frameworks.size === 0) this.options.idle();
  }

  /** Without this record, a later run of the agent would take it for an executor that ended in the meantime. */
  private noteEnd(ended: Ended): void {
    const { disk, checkpoints, logger } = this.options;
    const { framework, executor, unused } = ended;
    const sentinel = executor.checkpoint
      ? [...checkpoints.missing(executor.ids.agentId, framework), ...checkpoints.sentinel(executor)]
      : [];
    // Their time stamps tell a later run of the agent since when they are unused.
    const touches = unused.map((path) => ({ op: "touch", path }) as const);
    disk.apply([...sentinel, ...touches]).catch((error: unknown) => {
      logger.error({ err: error, executor: executor.id }, "the end of an executor could not be written down");
      if (executor.checkpoint) this.repairs.later(ended);
    });
  }
}
