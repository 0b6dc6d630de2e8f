import type { LogProgress } from "./log-record.js";

/** One message of a container's log: as a rule a line, or a part of a long one. */
export interface LogMessage {
  readonly stream: "stdout" | "stderr";
  /** In the engine's own form, to the nanosecond; undefined where times were not asked for. */
  readonly time: string | undefined;
  readonly data: Buffer;
}

const HEADER = 8;
/** `2026-01-02T03:04:05.000000006Z`, always as wide, so that texts compare as times do. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;
const TIME_LENGTH = 30;
const STDERR = 2;

/** Takes the engine's multiplexed stream apart: eight bytes (stream, 0, 0, 0, length), then the message. */
export class LogMessageDecoder {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly timestamps: boolean) {}

  /** The messages that are complete with this chunk. */
  decode(chunk: Buffer): LogMessage[] {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const messages: LogMessage[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER) {
      const end = at + HEADER + bytes.readUInt32BE(at + 4);
      if (end > bytes.length) break;
      const stream = bytes[at] === STDERR ? "stderr" : "stdout";
      messages.push(this.message(stream, bytes.subarray(at + HEADER, end)));
      at = end;
    }
    this.rest = bytes.subarray(at);
    return messages;
  }

  private message(stream: LogMessage["stream"], data: Buffer): LogMessage {
    if (!this.timestamps) return { stream, time: undefined, data };
    const time = data.toString("latin1", 0, TIME_LENGTH);
    return TIME.test(time)
      ? { stream, time, data: data.subarray(TIME_LENGTH + 1) }
      : { stream, time: undefined, data };
  }
}

/**
 * From where to read the log again, as the engine's `since` takes it (seconds since the epoch); undefined: from its beginning. A second
 * earlier than what was seen, since messages of the two streams may be in the log in another order than that of their times.
 */
export function sinceTime({ stdout, stderr }: LogProgress): string | undefined {
  const [first] = [stdout.time, stderr.time].filter((time) => time !== undefined).sort();
  return first === undefined ? undefined : String(Math.floor(Date.parse(first) / 1000) - 1);
}
