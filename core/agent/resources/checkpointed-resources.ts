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

/** Milliseconds after which a failed write that must not be lost is retried. */
const RETRY = 5000;

/** Hears how a change of the resources ends. */
export interface ChangeObserver {
  /** The change is about to be written. */
  before?(): void;
  done?(): void;
  /** The change is impossible. That has to be written next. */
  refused?(error: unknown): void;
  /** The change was not made, and a later run of the agent will know. */
  failed?(): void;
}

interface Change extends ChangeObserver {
  /** All reservations and volumes after the change; undefined: no change. */
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
 * Dynamic reservations and persistent volumes: what the agent counts, what it has written, and the directories of the volumes.
 *
 * Changes count at once and are made one after another: the target is written, volumes are created and removed, then the target is written
 * as committed. After a crash in between, the change is repeated. A change that fails is withdrawn in writing, however long the disk
 * refuses that: until then a later run of the agent might still make it.
 */
export class CheckpointedResources {
  private readonly waiting: Change[] = [];
  private working: Promise<void> | undefined;
  /** What is committed, in the record and on the disk. */
  private committed = Resources.empty;
  /** Volumes that a failed change had moved aside: their original and their current paths. */
  private moved: Aside[] = [];

  constructor(private readonly options: CheckpointedResourcesOptions) {}

  /** Resolves when all changes requested so far are made; undefined: there are none. */
  get pending(): Promise<void> | undefined {
    return this.working;
  }

  /**
   * Takes over those of an earlier run and completes the change it had begun. Rejects with TEPUI_AGENT_RECOVERY_FAILED if the host no
   * longer has the underlying resources.
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

  /** Replaces all of them, for masters that know no operations. Whatever is not listed any more is removed, volumes with their content. */
  replace(messages: readonly Resource[]): void {
    const { state, logger } = this.options;
    const next = Resources.of(messages);
    const total = applyCheckpointed(Resources.of(state.info.resources), next);
    if (total.ok) this.change(total.value, {});
    else logger.error(`the master's reservations do not fit this agent: ${total.error}`);
  }

  /** Makes this the agent's total from now on. */
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

  /** Writes the operations as they are now, or will be. @param done called when they are written */
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
        await this.recordActual();
        change.done?.();
        continue;
      }
      try {
        await this.commit(change.checkpointed);
      } catch (error) {
        await this.withdraw(change, error);
        continue;
      }
      change.done?.();
    }
  }

  /** Later changes build on this one's outcome, so they fail with it. */
  private async withdraw(change: Change, error: unknown): Promise<void> {
    const { state, logger } = this.options;
    logger.error({ err: error }, "reservations and volumes could not be changed");
    const failed: Change[] = [];
    for (let more = [change]; more.length > 0; more = this.waiting.splice(0)) {
      for (const one of more) one.refused?.(error);
      failed.push(...more);
      await this.recordActual();
    }
    const total = applyCheckpointed(Resources.of(state.info.resources), this.committed);
    if (total.ok) {
      state.total = total.value;
      state.checkpointed = this.committed;
    }
    for (const one of failed) one.failed?.();
  }

  /** Writes the actual state, repeatedly until it succeeds. */
  private async recordActual(): Promise<void> {
    const { clock, logger } = this.options;
    for (let reported = false; ; reported = true) {
      try {
        await this.commit(this.committed);
        return;
      } catch (error) {
        if (!reported)
          logger.error({ err: error }, "reservations and operations could not be written down yet");
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
    // Volumes that should have been destroyed but were not are moved back first: while they are away, a later run would take them for
    // destroyed.
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
        // The mount belongs to the host; its content was the volume.
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

  /** Where a volume waits for its removal, on its own file system. */
  private asideOf({ kind }: ResourceEntry): string {
    const { paths } = this.options;
    const root = kind.disk?.source?.path?.root;
    return root === undefined ? paths.removing() : paths.removingOn(root);
  }

  /** Directories in which volumes wait for their removal, on disks of their own. */
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
