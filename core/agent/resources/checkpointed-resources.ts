import type { Operation, Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resource_DiskInfo_Source_Type as SourceType } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import {
  applyCheckpointed,
  needsCheckpoint,
  type ResourceEntry,
  Resources,
} from "../../../sdk/resources/index.js";
import { pause } from "../../../sdk/time/index.js";
import { persistentVolumePath } from "../../../sdk/volumes/index.js";
import type { AgentState } from "../agent-state.js";
import type { Checkpoints } from "../checkpoint.js";
import type { Disk, DiskOperation } from "../disk/operations.js";
import type { AgentPaths } from "../paths.js";
import type { SavedResources } from "../recovery/saved-state.js";
import { uuidKey } from "../updates/update-stream.js";

/** How long after it failed to write down what is not to be lost the agent tries again. Milliseconds. */
const RETRY = 5000;

/** Told how a change of the resources ends. */
export interface ChangeObserver {
  /** It is its turn to be written down. */
  before?(): void;
  done?(): void;
  /** It cannot be made. That is to be written down next. */
  refused?(error: unknown): void;
  /** It was not made, and a later run of the agent will know. */
  failed?(): void;
}

interface Change extends ChangeObserver {
  /** All reservations and volumes that there are to be; undefined: those that there are. */
  readonly checkpointed: Resources | undefined;
}

interface Aside {
  readonly from: string;
  readonly path: string;
}

export interface CheckpointedResourcesOptions {
  readonly state: AgentState;
  readonly checkpoints: Checkpoints;
  readonly paths: AgentPaths;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Dynamic reservations and persistent volumes: what the agent counts, what it has written down, and the directories of volumes.
 *
 * Changes count at once and are made one after the other: first what is to be is written down, then the volumes are made and removed,
 * then it is said to be so. After a crash in between it is done again. One that fails is taken back in writing, however long the disk refuses that:
 * until then a later run of the agent might make it all the same.
 */
export class CheckpointedResources {
  private readonly waiting: Change[] = [];
  private working: Promise<void> | undefined;
  /** Written down, and true of the disk. */
  private committed = Resources.empty;
  /** Volumes that a change which then failed has moved aside: where they were, and where they are. */
  private moved: Aside[] = [];

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
      refused: (error) => observer.refused?.(error),
      failed: () => observer.failed?.(),
    });
    this.work();
  }

  /** Writes the operations down as they are now, or are to be known. @param done called when that is so */
  save(done?: () => void): void {
    if (this.waiting.length > 0 && done === undefined) return;
    const said = done === undefined ? {} : { done, failed: done };
    this.waiting.push({ checkpointed: undefined, ...said });
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
      if (change.checkpointed === undefined) {
        await this.insist();
        change.done?.();
        continue;
      }
      try {
        await this.commit(change.checkpointed);
      } catch (error) {
        await this.takeBack(change, error);
        continue;
      }
      change.done?.();
    }
  }

  /** Later changes were made of this one's outcome, so they fail with it. */
  private async takeBack(change: Change, error: unknown): Promise<void> {
    const { state, logger } = this.options;
    logger.error({ err: error }, "reservations and volumes could not be changed");
    const failed: Change[] = [];
    for (let more = [change]; more.length > 0; more = this.waiting.splice(0)) {
      for (const one of more) one.refused?.(error);
      failed.push(...more);
      await this.insist();
    }
    const total = applyCheckpointed(Resources.of(state.info.resources), this.committed);
    if (total.ok) {
      state.total = total.value;
      state.checkpointed = this.committed;
    }
    for (const one of failed) one.failed?.();
  }

  /** Writes down what is, until it is written. */
  private async insist(): Promise<void> {
    const { clock, logger } = this.options;
    for (let told = false; ; told = true) {
      try {
        await this.commit(this.committed);
        return;
      } catch (error) {
        if (!told) logger.error({ err: error }, "reservations and operations could not be written down yet");
      }
      await pause(clock, RETRY);
    }
  }

  private async commit(next: Resources): Promise<void> {
    const { state, checkpoints, disk, logger } = this.options;
    const operations = Array.from(
      state.operations,
      ([key, operation]) => state.endings.get(key) ?? operation,
    ).filter(({ latest_status: status }) => status?.uuid !== undefined);
    const { target, commit } = checkpoints.resources(next.toMessages(), operations);
    const { changes, aside } = this.volumeChanges(this.committed, next);
    const back = this.moved.map(
      ({ from, path }): DiskOperation => ({ op: "move-aside", from: path, path: from }),
    );
    // What was to be destroyed and is not comes back first: while it is away, a later run is to take it for destroyed.
    this.moved.push(...aside);
    await disk.apply([...back, ...target, ...changes, ...commit]);
    this.moved = [];
    this.committed = next;
    for (const { path } of aside) {
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
  ): { changes: DiskOperation[]; aside: readonly Aside[] } {
    const had = this.volumes(before);
    const has = this.volumes(after);
    const changes: DiskOperation[] = [];
    const aside: Aside[] = [];
    for (const [path, entry] of had) {
      if (has.has(path)) continue;
      if (isMount(entry)) {
        // The file system is the host's; what is in it was the volume.
        changes.push({ op: "empty", path });
        continue;
      }
      const moved = `${this.asideOf(entry)}/${this.options.random.uuid()}`;
      aside.push({ from: path, path: moved });
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
