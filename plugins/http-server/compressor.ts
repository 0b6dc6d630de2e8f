import { gzip } from "node:zlib";

/** Speed before size: the largest bodies are read by machines on the same network. */
const GZIP_LEVEL = 1;

/** Compresses bodies, each once, however many clients are sent the same. */
export class Compressor {
  private readonly known = new WeakMap<Uint8Array, Promise<Buffer>>();

  /** Rejects where it cannot be compressed. */
  compress(body: Uint8Array): Promise<Buffer> {
    let small = this.known.get(body);
    if (small === undefined) {
      small = new Promise((resolve, reject) => {
        gzip(body, { level: GZIP_LEVEL }, (error, result) =>
          error === null ? resolve(result) : reject(error),
        );
      });
      this.known.set(body, small);
    }
    return small;
  }
}
