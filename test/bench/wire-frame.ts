/** Mesos's internal messages in libprocess's HTTP form, written and read with as little work as possible, for simulated peers. */

const CRLF = "\r\n";

/** One message as a libprocess peer sends it. */
export function frame(message: { from: string; to: string; name: string; body: Uint8Array }): Buffer {
  const at = message.to.indexOf("@");
  const head =
    `POST /${message.to.slice(0, at)}/${message.name} HTTP/1.1${CRLF}` +
    `User-Agent: libprocess/${message.from}${CRLF}Libprocess-From: ${message.from}${CRLF}` +
    `Connection: Keep-Alive${CRLF}Host: ${message.to.slice(at + 1)}${CRLF}`;
  if (message.body.length === 0) return Buffer.from(head + CRLF, "latin1");
  return Buffer.concat([
    Buffer.from(
      `${head}Transfer-Encoding: chunked${CRLF}${CRLF}${message.body.length.toString(16)}${CRLF}`,
      "latin1",
    ),
    message.body,
    Buffer.from(`${CRLF}0${CRLF}${CRLF}`, "latin1"),
  ]);
}

export interface Received {
  readonly actor: string;
  readonly name: string;
  readonly from: string;
  readonly body: Buffer;
}

/** Takes the stream of one connection apart into messages. Accepts chunked and content-length bodies. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, receive: (message: Received) => void): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) break;
      const head = data.toString("latin1", 0, end);
      const body = readBody(data, end + 4, head);
      if (body === undefined) break;
      const [, actor = "", name = ""] = /^POST \/([^/ ]+)\/(\S+) /.exec(head) ?? [];
      const from = /^libprocess-from: *(.*)$/im.exec(head)?.[1] ?? "";
      receive({ actor: decodeURIComponent(actor), name, from, body: body.bytes });
      data = data.subarray(body.next);
    }
    this.#rest = data;
  }
}

function readBody(data: Buffer, start: number, head: string): { bytes: Buffer; next: number } | undefined {
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const parts: Buffer[] = [];
    let at = start;
    for (;;) {
      const eol = data.indexOf("\r\n", at);
      if (eol < 0) return undefined;
      const size = Number.parseInt(data.toString("latin1", at, eol), 16);
      const next = eol + 2 + size + 2;
      if (data.length < next) return undefined;
      if (size === 0) return { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), next };
      parts.push(data.subarray(eol + 2, eol + 2 + size));
      at = next;
    }
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (data.length < start + length) return undefined;
  return { bytes: data.subarray(start, start + length), next: start + length };
}
