import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentFrameworkView } from "../../sdk/contracts/agent-view.js";
import type { Executor } from "./executors/executor.js";

/** How libprocess writes that there is no address: what masters say of a scheduler that came over HTTP. */
export const NO_ADDRESS = "@0.0.0.0:0";

/** A framework that has something on this agent. */
export class Framework implements AgentFrameworkView {
  readonly id: string;
  info: FrameworkInfo;
  /** Being ended: nothing new starts, and nothing is told of what ends. */
  terminating = false;
  /** What is written down of it is as it is now. */
  recorded = false;
  readonly running = new Map<string, Executor>();
  /** Oldest first, bounded. */
  completed: Executor[] = [];
  #pid: string | undefined;

  /** @param pid as messages and files carry it */
  constructor(id: string, info: FrameworkInfo, pid: string | undefined) {
    this.id = id;
    this.info = info;
    this.pid = pid;
  }

  /** Address of a scheduler that came over libprocess; undefined: reached through the master. */
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
    // A command task's executor has the task's id, so nearly always this is one look.
    const likely = this.running.get(taskId);
    if (likely?.has(taskId) === true) return likely;
    for (const executor of this.running.values()) if (executor.has(taskId)) return executor;
    return undefined;
  }

  /** An executor that is here had the task, and its end was acknowledged. */
  hasCompleted(taskId: string): boolean {
    for (const { completedTasks } of this.running.values())
      if (completedTasks.some(({ task_id }) => task_id?.value === taskId)) return true;
    return false;
  }

  get idle(): boolean {
    return this.running.size === 0;
  }
}
