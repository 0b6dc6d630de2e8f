import { Duplex } from "node:stream";

export interface TunnelEnd {
  write(data: Buffer): void;
  close(): void;
}

/** A connection that another process holds. */
export class Tunnel extends Duplex {
  constructor(private readonly far: TunnelEnd) {
    super({ allowHalfOpen: true });
  }

  /** Answers to checks are small: nothing is held back. */
  override _read(): void {}

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.far.write(data);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.far.close();
    done(error);
  }
}
