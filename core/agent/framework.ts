import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentFrameworkView } from "../../sdk/contracts/agent-view.js";
import type { Executor } from "./executors/executor.js";

/** How libprocess writes "no address": masters send it for a scheduler that uses HTTP. */
export const NO_ADDRESS = "@0.0.0.0:0";

/** A framework that has something on this agent. */
export class Framework implements AgentFrameworkView {
  readonly id: string;
  info: FrameworkInfo;
  /** It is shutting down: nothing new starts, and nothing that ends is reported. */
  terminating = false;
  /** Whether its record on disk is up to date. */
  recorded = false;
  readonly running = new Map<string, Executor>();
  /** Oldest first, bounded. */
  completed: Executor[] = [];
  #pid: string | undefined;

  /** @param pid in the form used in messages and files */
  constructor(id: string, info: FrameworkInfo, pid: string | undefined) {
    this.id = id;
    this.info = info;
    this.pid = pid;
  }

  /** Address of a scheduler that uses libprocess; undefined: it is reached through the master. */
  get pid(): string | undefined {
    return this.#pid;
  }

  set pid(pid: string | undefined) {
    this.#pid = pid === "" || pid === NO_ADDRESS ? undefined : pid;
  }

  get executors(): Iterable<Executor> {
    return this.running.values();
  }

  get completedExecutors(): Iterable<Executor> {
    return this.completed;
  }

  get checkpoint(): boolean {
    return this.info.checkpoint === true;
  }

  get partitionAware(): boolean {
    return this.can(Capability.PARTITION_AWARE);
  }

  can(capability: Capability): boolean {
    return this.info.capabilities.some(({ type }) => type === capability);
  }

  executorOf(taskId: string): Executor | undefined {
    // The executor of a command task has the task's id, so this usually takes a single look-up.
    const likely = this.running.get(taskId);
    if (likely?.has(taskId) === true) return likely;
    for (const executor of this.running.values()) if (executor.has(taskId)) return executor;
    return undefined;
  }

  /** Whether an executor in its history had the task, and the task's end was acknowledged. */
  hasCompleted(taskId: string): boolean {
    for (const { completedTasks } of this.running.values())
      if (completedTasks.some(({ task_id }) => task_id?.value === taskId)) return true;
    return false;
  }

  get idle(): boolean {
    return this.running.size === 0;
  }
}
