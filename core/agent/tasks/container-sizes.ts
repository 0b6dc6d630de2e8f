import type { Executor } from "../executors/executor.js";
import { executorLimits, type LimitRules } from "../executors/executor-limits.js";

/**
 * Keeps the containers of custom executors as large as what runs in them. Of one container one change is under way at a time, and
 * the last one asked for is the last one made.
 */
export class ContainerSizes {
  private readonly last = new WeakMap<Executor, Promise<void>>();
  /** Not begun: it will take the size that the executor has by then. */
  private readonly waiting = new WeakMap<Executor, Promise<void>>();

  constructor(private readonly rules: LimitRules) {}

  /** Resolves when the container has at least what the executor and its tasks have now. */
  resize(executor: Executor): Promise<void> {
    const waiting = this.waiting.get(executor);
    if (waiting !== undefined) return waiting;
    const before = this.last.get(executor) ?? Promise.resolve();
    const change = before
      .catch(() => undefined)
      .then(() => {
        this.waiting.delete(executor);
        return this.apply(executor);
      });
    this.waiting.set(executor, change);
    this.last.set(executor, change);
    return change;
  }

  private async apply(executor: Executor): Promise<void> {
    const { containerizer, containerId, resources, info, queued, launched } = executor;
    const limits = executorLimits(info.resources, [...queued.values(), ...launched.values()], this.rules);
    await containerizer?.update(containerId, resources, limits);
  }
}
