/**
 * What the helper of checks says, each on a line, with data behind it. The agent tells it `O ID PID ADDRESS PORT` (connect from the network
 * of that process), `W ID LENGTH` and so many bytes (send), `C ID` (close).
 *
 * - `connected`: `c ID`
 * - `data`: `d ID LENGTH` and so many bytes
 * - `ended`: `e ID`; the other side sends no more
 * - `failed`: `f ID WHY`; the connection is over
 * - `gone`: `g ID WHY`; it could not be tried
 */
export interface HelperFrame {
  readonly type: "connected" | "data" | "ended" | "failed" | "gone";
  readonly id: number;
  readonly text: string;
  readonly data: Buffer;
}

const TYPES = { c: "connected", d: "data", e: "ended", f: "failed", g: "gone" } as const;
const NOTHING = Buffer.alloc(0);
const NEWLINE = 10;

/** Makes frames out of what comes in pieces. */
export class FrameReader {
  private rest: Buffer = NOTHING;

  constructor(private readonly frame: (frame: HelperFrame) => void) {}

  push(chunk: Buffer): void {
    const buffer = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let start = 0;
    for (;;) {
      const newline = buffer.indexOf(NEWLINE, start);
      if (newline < 0) break;
      const line = buffer.toString("latin1", start, newline);
      const type = TYPES[line[0] as keyof typeof TYPES];
      const space = line.indexOf(" ", 2);
      const id = Number(space < 0 ? line.slice(2) : line.slice(2, space));
      const text = space < 0 ? "" : line.slice(space + 1);
      const end = newline + 1 + (type === "data" ? Number(text) : 0);
      if (end > buffer.length) break;
      this.frame({ type, id, text, data: buffer.subarray(newline + 1, end) });
      start = end;
    }
    this.rest = buffer.subarray(start);
  }
}
