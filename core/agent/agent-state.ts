import type { AgentInfo, DrainConfig, Operation } from "../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../sdk/resources/index.js";
import { MAX_COMPLETED_FRAMEWORKS } from "./constants.js";
import type { Executor } from "./executors/executor.js";
import type { Framework } from "./framework.js";

/**
 * - `recovering`: reads back what an earlier run left; takes nothing.
 * - `serving`: takes what a master says, registered or not.
 * - `terminating`: ends its frameworks, then itself.
 */
export type Phase = "recovering" | "serving" | "terminating";

/** What the agent knows. */
export class AgentState {
  phase: Phase = "recovering";
  /** With an id once registered. */
  info: AgentInfo;
  /** What the host and the flags give, with reservations and volumes in it. */
  total: Resources;
  /** Dynamic reservations and persistent volumes. */
  checkpointed: Resources = Resources.empty;
  /** Revocable: what is lent and what could be, as last estimated; undefined before the first estimate. */
  oversubscribed: Resources | undefined;
  /** While it is being emptied; `since` in seconds since the epoch. */
  draining: { readonly config: DrainConfig; readonly since: number } | undefined;
  /** Offer operations whose end nobody has acknowledged yet, by the keys of their UUIDs. */
  readonly operations = new Map<string, Operation>();
  /** As they will be known: their ends are being written down, and nobody may hear of them before. */
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
