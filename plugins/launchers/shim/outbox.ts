/** How long what is not urgent may wait for company, in milliseconds. */
const PATIENCE_MS = 100;

/** Collects frames for the helper: those of one turn of the event loop leave in one write, which wakes the helper once. */
export class Outbox {
  private frames: Buffer[] = [];
  private soon: NodeJS.Immediate | undefined;
  private later: NodeJS.Timeout | undefined;

  /** @param write takes what has been collected */
  constructor(private readonly write: (frames: Buffer) => void) {}

  /** Leaves with this turn. */
  urgent(frame: Buffer): void {
    this.frames.push(frame);
    this.soon ??= setImmediate(() => this.flush());
  }

  /** Leaves with the next that is urgent, or in a while. */
  patient(frame: Buffer): void {
    this.frames.push(frame);
    if (this.soon === undefined) this.later ??= setTimeout(() => this.flush(), PATIENCE_MS).unref();
  }

  flush(): void {
    clearImmediate(this.soon);
    clearTimeout(this.later);
    this.soon = undefined;
    this.later = undefined;
    if (this.frames.length === 0) return;
    const frames = Buffer.concat(this.frames);
    this.frames = [];
    this.write(frames);
  }
}
