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

/** An executor that is over, and the directories that nobody needs any more. */
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
  /** Lets the containerizer put away what it has of an executor's container. */
  readonly destroy: (executor: Executor) => void;
  /** The container of an executor is over for good. */
  readonly forgotten: (containerId: ContainerID) => void;
  /** The last framework is gone. */
  readonly idle: () => void;
}

/** Takes executors that are over, and then frameworks without any, from what lives to what is remembered; their files go in time. */
export class Retirement {
  /** It is not written down that they are over. */
  private readonly repairs: Repairs<Ended>;

  constructor(private readonly options: RetirementOptions) {
    this.repairs = new Repairs(options.clock, (ended) => this.noteEnd(ended));
  }

  /** The agent ends. */
  stop(): void {
    this.repairs.stop();
  }

  remove(framework: Framework, executor: Executor): void {
    const { gc, paths, agent, destroy, forgotten } = this.options;
    const { ids } = executor;
    executor.stopTimers();
    executor.command?.stop();
    // Kept for a while as history, so without what only a live one needs.
    executor.command = undefined;
    // The container is over; this lets its runtime files go, which until now could have been needed to recover it.
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

  /** Or a later run of the agent would take it for one that ended meanwhile. */
  private noteEnd(ended: Ended): void {
    const { disk, checkpoints, logger } = this.options;
    const { framework, executor, unused } = ended;
    const sentinel = executor.checkpoint
      ? [...checkpoints.missing(executor.ids.agentId, framework), ...checkpoints.sentinel(executor)]
      : [];
    // A later run of the agent tells by it since when they are unused.
    const touches = unused.map((path) => ({ op: "touch", path }) as const);
    disk.apply([...sentinel, ...touches]).catch((error: unknown) => {
      logger.error({ err: error, executor: executor.id }, "the end of an executor could not be written down");
      if (executor.checkpoint) this.repairs.later(ended);
    });
  }
}
