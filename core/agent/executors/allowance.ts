import { TepuiError } from "../../../sdk/errors/index.js";

/** What each takes up besides its bytes. */
const EACH_BYTES = 512;

export interface AllowanceLimits {
  /** Bytes that may be under way. */
  readonly underWay: number;
  /** Bytes of what may wait for that. */
  readonly waiting: number;
}

interface Waiting {
  readonly bytes: number;
  readonly enter: (leave: () => void) => void;
  readonly entered: () => void;
}

/**
 * Bounds what one sender has under way: so many bytes until they are dealt with, and as many more of which the sender waits for room. Who
 * sends without end is slowed down to the pace of who receives.
 */
export class Allowance {
  private underWay = 0;
  private waitingBytes = 0;
  private admitting = false;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly limits: AllowanceLimits) {}

  /**
   * Lets something in, in the order of the calls: at once, undefined, or when there is room. One alone may be of any size.
   *
   * @param enter gets what is to be called once it is dealt with
   * @throws TepuiError TEPUI_EXECUTOR_BUSY when too much waits already
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

  /** Counts one that is here already. Returns what is to be called when it is dealt with. */
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
    // What enters may leave at once.
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
