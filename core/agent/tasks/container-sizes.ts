import type { Executor } from "../executors/executor.js";
import { executorLimits, type LimitRules } from "../executors/executor-limits.js";

/**
 * Keeps the containers of custom executors as large as what runs in them. Each container is resized by one request at a time, and the last
 * request wins.
 */
export class ContainerSizes {
  private readonly last = new WeakMap<Executor, Promise<void>>();
  /** Not started: it will use the executor's size at that time. */
  private readonly waiting = new WeakMap<Executor, Promise<void>>();

  constructor(private readonly rules: LimitRules) {}

  /** Resolves when the container has at least the resources that the executor and its tasks have now. */
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
