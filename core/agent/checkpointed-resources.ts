import type { Operation, Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { Resource_DiskInfo_Source_Type as SourceType } from "../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Random } from "../../sdk/contracts/random.js";
import { TepuiError } from "../../sdk/errors/index.js";
import {
  applyCheckpointed,
  needsCheckpoint,
  type ResourceEntry,
  Resources,
} from "../../sdk/resources/index.js";
import { persistentVolumePath } from "../../sdk/volumes/index.js";
import type { AgentState } from "./agent-state.js";
import type { Checkpoints } from "./checkpoint.js";
import type { Disk, DiskOperation } from "./disk/operations.js";
import type { AgentPaths } from "./paths.js";
import type { SavedResources } from "./recovery/saved-state.js";
import { uuidKey } from "./updates/update-stream.js";

/** Told how a change of the resources ends. */
export interface ChangeObserver {
  /** It is its turn to be written down. */
  before?(): void;
  done?(): void;
  failed?(error: unknown): void;
}

interface Change extends ChangeObserver {
  /** All reservations and volumes that there are to be. */
  readonly checkpointed: Resources;
}

export interface CheckpointedResourcesOptions {
  readonly state: AgentState;
  readonly checkpoints: Checkpoints;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Dynamic reservations and persistent volumes: what the agent counts, what it has written down, and the directories of volumes.
 *
 * Changes count at once and are made one after the other: first what is to be is written down, then the volumes are made and removed,
 * then it is said to be so. After a crash in between it is done again.
 */
export class CheckpointedResources {
  private readonly waiting: Change[] = [];
  private working: Promise<void> | undefined;
  /** Written down, and true of the disk. */
  private committed = Resources.empty;

  constructor(private readonly options: CheckpointedResourcesOptions) {}

  /** Resolves when all changes asked for by now are made; undefined: there are none. */
  get pending(): Promise<void> | undefined {
    return this.working;
  }

  /**
   * Those of an earlier run. What it had begun is finished. Rejects with TEPUI_AGENT_RECOVERY_FAILED when the host no longer has
   * what they are made of.
   */
  async restore(saved: SavedResources): Promise<void> {
    const { state, logger } = this.options;
    this.committed = Resources.of(saved.committed);
    this.count(this.committed);
    this.takeOperations(saved.operations);
    if (saved.target === undefined) return;
    try {
      const target = Resources.of(saved.target.resources);
      this.count(target);
      this.takeOperations(saved.target.operations);
      await this.commit(target);
    } catch (error) {
      // The master is told that it did not happen.
      logger.error(
        { err: error },
        "a change of reservations and volumes could not be finished; taking it back",
      );
      this.count(this.committed);
      state.operations.clear();
      this.takeOperations(saved.operations);
      await this.commit(this.committed);
    }
  }

  private count(checkpointed: Resources): void {
    const { state } = this.options;
    const total = applyCheckpointed(Resources.of(state.info.resources), checkpointed);
    if (!total.ok) {
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
        problems: [
          `${total.error}: the agent no longer has what is reserved on it`,
          "start it with as many resources as before, unreserve them and destroy their volumes, and then take them away",
        ],
      });
    }
    state.checkpointed = checkpointed;
    state.total = total.value;
  }

  private takeOperations(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.options.state.operations.set(uuidKey(operation.uuid?.value), operation);
    }
  }

  /** All of them, as masters say that know no operations; what is not among them any more is gone, volumes with their content. */
  replace(messages: readonly Resource[]): void {
    const { state, logger } = this.options;
    const next = Resources.of(messages);
    const total = applyCheckpointed(Resources.of(state.info.resources), next);
    if (total.ok) this.change(total.value, {});
    else logger.error(`the master's reservations do not fit this agent: ${total.error}`);
  }

  /** The agent's total is this from now on. */
  change(total: Resources, observer: ChangeObserver): void {
    const { state } = this.options;
    state.total = total;
    state.checkpointed = total.filter(needsCheckpoint);
    this.waiting.push({
      checkpointed: state.checkpointed,
      before: () => observer.before?.(),
      done: () => observer.done?.(),
      failed: (error) => observer.failed?.(error),
    });
    this.work();
  }

  /** Writes the operations down as they are now. */
  save(): void {
    if (this.waiting.length > 0) return;
    this.waiting.push({ checkpointed: this.options.state.checkpointed });
    this.work();
  }

  private work(): void {
    this.working ??= this.workAll().finally(() => {
      this.working = undefined;
    });
  }

  private async workAll(): Promise<void> {
    for (let change = this.waiting.shift(); change !== undefined; change = this.waiting.shift()) {
      change.before?.();
      try {
        await this.commit(change.checkpointed);
        change.done?.();
      } catch (error) {
        this.fail(change, error);
      }
    }
  }

  /** Later changes were made of this one's outcome, so they fail with it. */
  private fail(change: Change, error: unknown): void {
    const { state, logger } = this.options;
    logger.error({ err: error }, "reservations and volumes could not be changed");
    const failed = [change, ...this.waiting.splice(0)];
    const total = applyCheckpointed(Resources.of(state.info.resources), this.committed);
    if (total.ok) {
      state.total = total.value;
      state.checkpointed = this.committed;
    }
    for (const one of failed) one.failed?.(error);
  }

  private async commit(next: Resources): Promise<void> {
    const { state, checkpoints, disk, logger } = this.options;
    const operations = Array.from(
      state.operations,
      ([key, operation]) => state.endings.get(key) ?? operation,
    ).filter(({ latest_status: status }) => status?.uuid !== undefined);
    const { target, commit } = checkpoints.resources(next.toMessages(), operations);
    const { changes, aside } = this.volumeChanges(this.committed, next);
    await disk.apply([...target, ...changes, ...commit]);
    this.committed = next;
    for (const path of aside) {
      disk
        .finishDiscard(path)
        .catch((error: unknown) =>
          logger.warn({ err: error }, "a destroyed volume could not be removed yet"),
        );
    }
  }

  private volumeChanges(
    before: Resources,
    after: Resources,
  ): { changes: DiskOperation[]; aside: readonly string[] } {
    const had = this.volumes(before);
    const has = this.volumes(after);
    const changes: DiskOperation[] = [];
    const aside: string[] = [];
    for (const [path, entry] of had) {
      if (has.has(path)) continue;
      if (isMount(entry)) {
        // The file system is the host's; what is in it was the volume.
        changes.push({ op: "empty", path });
        continue;
      }
      const moved = `${this.asideOf(entry)}/${this.options.random.uuid()}`;
      aside.push(moved);
      changes.push({ op: "move-aside", from: path, path: moved });
    }
    for (const [path, entry] of has) {
      if (!had.has(path) && !isMount(entry)) changes.push({ op: "mkdir", path, durable: true });
    }
    return { changes, aside };
  }

  /** Where volumes wait to be removed, on the file system that they are on. */
  private asideOf({ kind }: ResourceEntry): string {
    const { paths } = this.options;
    const root = kind.disk?.source?.path?.root;
    return root === undefined ? paths.removing() : paths.removingOn(root);
  }

  /** Directories in which volumes wait to be removed, on disks of their own. */
  asideDirectories(): string[] {
    const { state, paths } = this.options;
    const roots = new Set(
      Resources.of(state.info.resources).entries.map(({ kind }) => kind.disk?.source?.path?.root),
    );
    return [...roots].flatMap((root) => (root === undefined ? [] : [paths.removingOn(root)]));
  }

  private volumes(resources: Resources): Map<string, ResourceEntry> {
    const volumes = new Map<string, ResourceEntry>();
    for (const entry of resources.persistentVolumes()) {
      const path = persistentVolumePath(entry, this.options.paths.workDir);
      if (path !== undefined) volumes.set(path, entry);
    }
    return volumes;
  }
}

const isMount = ({ kind }: ResourceEntry): boolean => kind.disk?.source?.type === SourceType.MOUNT;
