import type { AgentInfo, DrainConfig, Operation } from "../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../sdk/resources/index.js";
import { MAX_COMPLETED_FRAMEWORKS } from "./constants.js";
import type { Executor } from "./executors/executor.js";
import type { Framework } from "./framework.js";

/**
 * - `recovering`: reads what an earlier run left behind; accepts nothing.
 * - `serving`: accepts the master's messages, registered or not.
 * - `terminating`: ends its frameworks, then itself.
 */
export type Phase = "recovering" | "serving" | "terminating";

/** Everything the agent knows. */
export class AgentState {
  phase: Phase = "recovering";
  /** Has an id once the agent is registered. */
  info: AgentInfo;
  /** What the host and the flags provide, including reservations and volumes. */
  total: Resources;
  /** Dynamic reservations and persistent volumes. */
  checkpointed: Resources = Resources.empty;
  /** Revocable resources: those in use and those still available, by the latest estimate; undefined before the first one. */
  oversubscribed: Resources | undefined;
  /** Set while it is draining; `since` in seconds since the epoch. */
  draining: { readonly config: DrainConfig; readonly since: number } | undefined;
  /** Offer operations whose end has not been acknowledged yet, by the key of their UUID. */
  readonly operations = new Map<string, Operation>();
  /** Their future records: these ends are being written, and nobody may hear of them before that is done. */
  readonly endings = new Map<string, Operation>();
  readonly frameworks = new Map<string, Framework>();
  /** By id, oldest first, bounded. */
  readonly completedFrameworks = new Map<string, Framework>();

  constructor(info: AgentInfo) {
    this.info = info;
    this.total = Resources.of(info.resources);
  }

  get id(): string {
    return this.info.id?.value ?? "";
  }

  executor(frameworkId: string, executorId: string): Executor | undefined {
    return this.frameworks.get(frameworkId)?.running.get(executorId);
  }

  *executors(): Iterable<Executor> {
    for (const framework of this.frameworks.values()) yield* framework.running.values();
  }

  /** A framework that comes back keeps its history. */
  addFramework(framework: Framework): void {
    const before = this.completedFrameworks.get(framework.id);
    if (before !== undefined) framework.completed = before.completed;
    this.completedFrameworks.delete(framework.id);
    this.frameworks.set(framework.id, framework);
  }

  completeFramework(framework: Framework): void {
    this.frameworks.delete(framework.id);
    this.completedFrameworks.set(framework.id, framework);
    if (this.completedFrameworks.size <= MAX_COMPLETED_FRAMEWORKS) return;
    for (const oldest of this.completedFrameworks.keys()) {
      this.completedFrameworks.delete(oldest);
      return;
    }
  }
}
