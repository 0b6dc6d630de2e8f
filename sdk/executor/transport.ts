import * as codecs from "../../proto/gen/json/mesos/v1/executor/executor.js";
import type { Call, Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import { HttpApi } from "../client/http-api.js";
import { messageCoder } from "../client/message-coder.js";
import { MEDIA_TYPES, type MessageFormat } from "../http/message-format.js";
import type { ExecutorEnvironment } from "./environment.js";

/** One subscription with an agent; the rules are those of a scheduler's. */
export interface ExecutorStream {
  readonly events: AsyncIterable<Event>;
  send(call: Call): Promise<void>;
  close(): Promise<void>;
}

/** How an executor client talks to its agent: HTTP, or a test's own. */
export interface ExecutorTransport {
  subscribe(request: { readonly call: Call; readonly signal: AbortSignal }): Promise<ExecutorStream>;
}

/** Milliseconds until an agent that does not answer counts as gone. */
const TIMEOUT_MS = 10_000;

/** `POST /api/v1/executor`. */
export class HttpExecutorTransport implements ExecutorTransport {
  constructor(
    private readonly environment: ExecutorEnvironment,
    private readonly contentType: MessageFormat,
  ) {}

  async subscribe({ call, signal }: { call: Call; signal: AbortSignal }): Promise<ExecutorStream> {
    const { agent, authenticationToken, socketPath } = this.environment;
    const calls = messageCoder(codecs.Call, this.contentType);
    const events = messageCoder(codecs.Event, this.contentType);
    const mediaType = MEDIA_TYPES[this.contentType];
    const api = await HttpApi.create({
      address: agent,
      path: "/api/v1/executor",
      headers: {
        "content-type": mediaType,
        accept: mediaType,
        ...(authenticationToken === undefined ? {} : { authorization: `Bearer ${authenticationToken}` }),
      },
      timeout: TIMEOUT_MS,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
    try {
      const { records } = await api.open(calls.encode(call), signal);
      return {
        events: decoded(records, events.decode),
        send: (next) => api.post(calls.encode(next), {}),
        close: () => api.close(),
      };
    } catch (error) {
      await api.close();
      throw error;
    }
  }
}

async function* decoded(
  records: AsyncIterable<Uint8Array>,
  decode: (record: Uint8Array) => Event,
): AsyncGenerator<Event> {
  for await (const record of records) yield decode(record);
}
