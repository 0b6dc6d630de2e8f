import type { StatusUpdate } from "../../../proto/gen/mesos/internal/messages.js";
import type { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";

/** Acknowledged updates that are recognized when they are repeated. */
export const REMEMBERED_UPDATES = 1000;

export const uuidKey = (uuid: Uint8Array | undefined): string =>
  uuid === undefined ? "" : Buffer.from(uuid.buffer, uuid.byteOffset, uuid.length).toString("latin1");

/** An unacknowledged update. */
export interface HeldUpdate {
  readonly update: StatusUpdate;
  readonly key: string;
  /** Size of its record. */
  readonly bytes: number;
  /** It was acknowledged, and that is written if the update is not; or it was given up. */
  readonly over: () => void;
  /** Resolves when its sender may forget it. Undefined: it may already. */
  safe?: Promise<void> | undefined;
  /** It could not be written. */
  unwritten?: boolean;
}

/** The updates of one task: in order, without duplicates, one in flight at a time until it is acknowledged. */
export class UpdateStream {
  /** Unacknowledged ones by key, oldest first. */
  readonly held = new Map<string, HeldUpdate>();
  /** Those that may be sent: they are written, or never will be. */
  readonly pending: HeldUpdate[] = [];
  /** Number of acknowledgements that are being written. */
  acknowledging = 0;
  /** Runs while the oldest update is in flight. */
  retry: Timer | undefined;
  /** Bytes of its file that are no longer needed. */
  obsolete = 0;
  /** Keys of the latest acknowledged updates, oldest first. */
  private readonly recent = new Set<string>();
  /** The first acknowledged update of each state, in order. */
  private readonly firsts = new Map<TaskState | undefined, StatusUpdate>();
  private latest: StatusUpdate | undefined;

  constructor(
    readonly frameworkId: string,
    readonly taskId: string,
    /** File of the records; undefined if the framework does not checkpoint. */
    readonly path: string | undefined,
  ) {}

  get oldest(): HeldUpdate | undefined {
    return this.pending[0];
  }

  /** Whether this very update was received before. */
  knows(key: string): boolean {
    return this.held.has(key) || this.recent.has(key);
  }

  acknowledged({ update, key, bytes }: Omit<HeldUpdate, "over">): void {
    this.held.delete(key);
    this.recent.add(key);
    if (this.recent.size > REMEMBERED_UPDATES) {
      const [first] = this.recent;
      this.recent.delete(first!);
    }
    this.obsolete += bytes;
    const { state } = update.status ?? {};
    if (!this.firsts.has(state)) this.firsts.set(state, update);
    this.latest = update;
  }

  /** What a later run of the agent has to know of the acknowledged updates: when the task entered each state, and the latest update. */
  *history(): Iterable<StatusUpdate> {
    for (const first of this.firsts.values()) if (first !== this.latest) yield first;
    if (this.latest !== undefined) yield this.latest;
  }

  stopRetry(): void {
    this.retry?.cancel();
    this.retry = undefined;
  }

  /** None of them will be acknowledged any more. */
  giveUp(): void {
    this.stopRetry();
    for (const { over } of this.held.values()) over();
  }
}
