/** Ctrl-P, Ctrl-Q, as in Docker and in Mesos's own command. */
const SEQUENCE = Buffer.from([0x10, 0x11]);

/** Looks for the keys that detach in what is typed. */
export class Detacher {
  detached = false;
  /** The first of the two was typed and is held back. */
  private held = false;

  /** Returns what should be passed on. */
  pass(typed: Buffer): Buffer {
    const data = this.held ? Buffer.concat([SEQUENCE.subarray(0, 1), typed]) : typed;
    const at = data.indexOf(SEQUENCE);
    if (at >= 0) {
      this.detached = true;
      this.held = false;
      return data.subarray(0, at);
    }
    this.held = data.at(-1) === SEQUENCE[0];
    return this.held ? data.subarray(0, -1) : data;
  }
}
