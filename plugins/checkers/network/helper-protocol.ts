/**
 * What the helper of checks says, each on a line, with data behind it. The agent tells it
 *
 * - `A ID PID ADDRESS PORT LENGTH` and so many bytes: connect from the network of that process (0: from the host's), send that, and tell how
 *   the answer begins; without bytes, that it is connected. Then close.
 * - `R ID PID ADDRESS PORT LENGTH INTERVAL TIMEOUT` and so many bytes: the same again and again, the first time after an interval; both in
 *   milliseconds. It is not told again that all is well. `gone` ends it, and `C`.
 * - `O ID PID ADDRESS PORT`: connect, and carry what comes. `W ID LENGTH` and so many bytes: send. `C ID`: close.
 *
 * - `connected`: `c ID`
 * - `status`: `s ID STATUS` of an answer that is no redirection
 * - `answered`: `a ID LENGTH` and so many bytes: of a redirection the headers, or whatever came before the end
 * - `late`: `t ID`; what is repeated took longer than it may
 * - `data`: `d ID LENGTH` and so many bytes
 * - `ended`: `e ID`; the other side sends no more
 * - `failed`: `f ID WHY`; the connection is over
 * - `gone`: `g ID WHY`; it could not be tried
 */
export interface HelperFrame {
  readonly type: "connected" | "status" | "answered" | "late" | "data" | "ended" | "failed" | "gone";
  readonly id: number;
  /** Status, length or reason. */
  readonly text: string;
  /** As latin1, a character a byte. */
  readonly data: string;
}

const TYPES: ReadonlyMap<string, HelperFrame["type"]> = new Map([
  ["c", "connected"],
  ["s", "status"],
  ["a", "answered"],
  ["t", "late"],
  ["d", "data"],
  ["e", "ended"],
  ["f", "failed"],
  ["g", "gone"],
]);

/** Makes frames out of what comes in pieces, as latin1. */
export class FrameReader {
  private rest = "";

  constructor(private readonly frame: (frame: HelperFrame) => void) {}

  push(chunk: string): void {
    const all = this.rest + chunk;
    let start = 0;
    for (;;) {
      const newline = all.indexOf("\n", start);
      if (newline < 0) break;
      const type = TYPES.get(all[start]!)!;
      const space = all.indexOf(" ", start + 2);
      const idEnd = space < 0 || space > newline ? newline : space;
      const id = Number(all.slice(start + 2, idEnd));
      const text = all.slice(idEnd + 1, newline);
      const end = newline + 1 + (type === "data" || type === "answered" ? Number(text) : 0);
      if (end > all.length) break;
      this.frame({ type, id, text, data: all.slice(newline + 1, end) });
      start = end;
    }
    this.rest = all.slice(start);
  }
}
