import { type OutgoingHttpHeaders, STATUS_CODES, validateHeaderValue } from "node:http";
import type { HttpDate } from "../../sdk/http/index.js";

/** Heads of whole answers. Most calls are answered with a status and nothing else: that text is kept while the second lasts. */
export class AnswerHeads {
  private date = "";
  private readonly bare = new Map<number, string>();

  constructor(private readonly clock: HttpDate) {}

  whole(status: number, headers: OutgoingHttpHeaders, length: number): string {
    const date = this.clock.now();
    if (date !== this.date) {
      this.date = date;
      this.bare.clear();
    }
    if (length > 0) return headOf(status, { Date: date, ...headers, "Content-Length": length });
    for (const _ in headers) return headOf(status, { Date: date, ...headers, "Content-Length": 0 });
    let text = this.bare.get(status);
    if (text === undefined) {
      text = headOf(status, { Date: date, "Content-Length": 0 });
      this.bare.set(status, text);
    }
    return text;
  }
}

export function headOf(status: number, headers: OutgoingHttpHeaders): string {
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [String(value)]) {
      validateHeaderValue(name, one);
      text += `${name}: ${one}\r\n`;
    }
  }
  return `${text}\r\n`;
}
