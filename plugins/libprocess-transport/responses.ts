import type { HttpDate } from "../../sdk/http/http-date.js";

/** Answers that one write can carry without being put together. */
const REPEATED = 64;

/** What libprocess answers to messages. The senders read and drop it. */
export class Responses {
  private date = "";
  private accepted: Buffer = Buffer.alloc(0);
  private length = 0;

  constructor(private readonly clock: HttpDate) {}

  /** `count` times 202; a list of buffers that must not be changed. */
  acceptedTimes(count: number): readonly Buffer[] {
    this.refresh();
    const parts: Buffer[] = [];
    for (let left = count; left > 0; left -= REPEATED) {
      parts.push(this.accepted.subarray(0, Math.min(left, REPEATED) * this.length));
    }
    return parts;
  }

  /**
   * @param status `404 Not Found`
   * @param more another header line, with its line end
   */
  refusal(status: string, body: string, more = ""): Buffer {
    this.refresh();
    const head = `HTTP/1.1 ${status}\r\nDate: ${this.date}\r\n${more}Content-Type: text/plain; charset=utf-8`;
    return Buffer.from(`${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  private refresh(): void {
    const date = this.clock.now();
    if (date === this.date) return;
    this.date = date;
    const one = `HTTP/1.1 202 Accepted\r\nDate: ${date}\r\nContent-Length: 0\r\n\r\n`;
    this.length = one.length;
    // Made anew and not overwritten: the old one may still be on its way to a socket.
    this.accepted = Buffer.from(one.repeat(REPEATED), "latin1");
  }
}
