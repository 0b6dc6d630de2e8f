import { TepuiError } from "../../../sdk/errors/index.js";

/** The overhead of each item besides its bytes. */
const EACH_BYTES = 512;

export interface AllowanceLimits {
  /** Bytes that may be in progress. */
  readonly underWay: number;
  /** Bytes that may wait for that. */
  readonly waiting: number;
}

interface Waiting {
  readonly bytes: number;
  readonly enter: (leave: () => void) => void;
  readonly entered: () => void;
}

/**
 * Bounds what one sender has in progress: so many bytes until they are dealt with, plus so many bytes for which the sender waits for room.
 * A sender that never stops is slowed down to the pace of its receiver.
 */
export class Allowance {
  private underWay = 0;
  private waitingBytes = 0;
  private admitting = false;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly limits: AllowanceLimits) {}

  /**
   * Lets an item in, in the order of the calls. Returns undefined if it entered at once, otherwise a promise that resolves when there is
   * room. A single item may have any size.
   *
   * @param enter receives a function to call when the item has been dealt with
   * @throws TepuiError TEPUI_EXECUTOR_BUSY if too much is waiting already
   */
  enter(size: number, enter: (leave: () => void) => void): Promise<void> | undefined {
    const bytes = size + EACH_BYTES;
    if (this.waiting.length === 0 && this.hasRoom(bytes)) {
      enter(this.take(bytes));
      return undefined;
    }
    if (this.waitingBytes + bytes > this.limits.waiting) throw new TepuiError("TEPUI_EXECUTOR_BUSY");
    this.waitingBytes += bytes;
    return new Promise((entered) => void this.waiting.push({ bytes, enter, entered }));
  }

  /** Counts an item that is here already. Returns a function to call when it has been dealt with. */
  hold(size: number): () => void {
    return this.take(size + EACH_BYTES);
  }

  private take(bytes: number): () => void {
    this.underWay += bytes;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.underWay -= bytes;
      this.admit();
    };
  }

  private admit(): void {
    // An item that enters may leave within the call.
    if (this.admitting) return;
    this.admitting = true;
    let next = this.waiting[0];
    while (next !== undefined && this.hasRoom(next.bytes)) {
      this.waiting.shift();
      this.waitingBytes -= next.bytes;
      next.enter(this.take(next.bytes));
      next.entered();
      next = this.waiting[0];
    }
    this.admitting = false;
  }

  private hasRoom(bytes: number): boolean {
    return this.underWay === 0 || this.underWay + bytes <= this.limits.underWay;
  }
}
