import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../sdk/errors/index.js";
import type { Streams, TextSink } from "./execute-report.js";

/** How often the output of a running task is polled, in milliseconds. */
const POLL_MS = 200;

/** Bytes per request; agents send 64 KiB at most. */
const CHUNK_BYTES = 64 * 1024;

/** Milliseconds for one request, and for reading the rest at the end. */
const REQUEST_TIMEOUT_MS = 5000;
const DRAIN_TIMEOUT_MS = 30_000;

export interface Sandbox {
  /** Of the agent, `http://host:port`. */
  readonly agent: string;
  /** In the form that the agent's `/files/read` knows. */
  readonly directory: string;
}

/**
 * The sandbox of a command task or, with an executor, of one of its tasks. Agents serve it under these names as well as under the real
 * path.
 */
export function sandboxPath(ids: {
  frameworkId: string;
  executorId: string;
  nestedTaskId?: string | undefined;
}): string {
  const run = `/frameworks/${ids.frameworkId}/executors/${ids.executorId}/runs/latest`;
  return ids.nestedTaskId === undefined ? run : `${run}/tasks/${ids.nestedTaskId}`;
}

/** Copies a task's stdout and stderr, byte for byte, while it runs and until its end. */
export class OutputFollower {
  private readonly stopping = new AbortController();
  private readonly done: Promise<unknown>;
  private readonly complaints: TextSink;
  private complained = false;

  constructor(
    private readonly sandbox: Sandbox,
    streams: Streams,
    {
      names = ["stdout", "stderr"],
      complaints = streams.stderr,
    }: { readonly names?: readonly (keyof Streams)[]; readonly complaints?: TextSink } = {},
  ) {
    this.complaints = complaints;
    this.done = Promise.all(names.map((name) => this.follow(name, streams[name])));
  }

  /** The task has ended: copies the rest and resolves. Never rejects; what could not be read has been mentioned on stderr. */
  async drain(): Promise<void> {
    this.stopping.abort();
    const expired = new AbortController();
    await Promise.race([
      this.done,
      delay(DRAIN_TIMEOUT_MS, undefined, { signal: expired.signal }).catch(() => undefined),
    ]);
    expired.abort();
  }

  private async follow(name: string, sink: TextSink): Promise<void> {
    let offset = 0;
    for (;;) {
      // Checked before reading, so that everything written before the end is read once more.
      const last = this.stopping.signal.aborted;
      try {
        for (;;) {
          const data = await this.read(name, offset);
          if (data.length === 0) break;
          offset += data.length;
          sink.write(data);
        }
      } catch (error) {
        // Right after the launch the file may not exist yet.
        if (last) this.complain(name, error);
      }
      if (last) return;
      await delay(POLL_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async read(name: string, offset: number): Promise<Uint8Array> {
    const query = new URLSearchParams({
      path: `${this.sandbox.directory}/${name}`,
      offset: String(offset),
      length: String(CHUNK_BYTES),
    });
    const { request } = await import("undici");
    const { statusCode, body } = await request(`${this.sandbox.agent}/files/read?${query}`, {
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200)
      throw new Error(`${this.sandbox.agent} answered ${statusCode} ${bytes.toString().trim()}`);
    return fileData(bytes);
  }

  private complain(name: string, error: unknown): void {
    if (this.complained) return;
    this.complained = true;
    this.complaints.write(`[tepui] cannot read the task's ${name}: ${messageOf(error)}\n`);
  }
}

/**
 * The bytes in an answer of `/files/read`. Its JSON string has one character per byte, whatever the file's encoding: read as Latin-1, the
 * bytes are those of the file.
 */
function fileData(body: Buffer): Uint8Array {
  const answer: unknown = JSON.parse(body.toString("latin1"));
  const data = (answer as { data?: unknown }).data;
  if (typeof data !== "string") throw new Error("the answer has no data");
  return Buffer.from(data, "latin1");
}
