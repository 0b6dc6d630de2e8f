import type { StatusUpdate } from "../../../proto/gen/mesos/internal/messages.js";
import type { Timer } from "../../../sdk/contracts/clock.js";

export const uuidKey = (uuid: Uint8Array | undefined): string =>
  uuid === undefined ? "" : Buffer.from(uuid.buffer, uuid.byteOffset, uuid.length).toString("latin1");

/** The updates of one task: in their order, each once, one at a time until it is acknowledged. */
export class UpdateStream {
  /** Not acknowledged yet, oldest first. */
  readonly pending: StatusUpdate[] = [];
  readonly received = new Set<string>();
  readonly acknowledged = new Set<string>();
  /** Those that are just being written down. */
  readonly writing = new Map<string, Promise<void>>();
  /** Those that could not be written down. */
  readonly unwritten = new Set<string>();
  /** Acknowledgements that are just being written down. */
  acknowledging = 0;
  /** Runs while the oldest one is on its way. */
  retry: Timer | undefined;

  constructor(
    readonly frameworkId: string,
    readonly taskId: string,
    /** File of the records; undefined for a framework that does not checkpoint. */
    readonly path: string | undefined,
  ) {}

  get oldest(): StatusUpdate | undefined {
    return this.pending[0];
  }

  stopRetry(): void {
    this.retry?.cancel();
    this.retry = undefined;
  }
}
