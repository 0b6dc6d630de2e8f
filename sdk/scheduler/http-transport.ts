import * as codecs from "../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import type { Call } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { addressText } from "../client/address.js";
import { CallRefusedError, ProtocolError } from "../client/errors.js";
import { HttpApi, type TlsOptions } from "../client/http-api.js";
import { messageCoder } from "../client/message-coder.js";
import { MEDIA_TYPES, type MessageFormat } from "../http/message-format.js";
import type { SchedulerStream, SchedulerTransport, SubscribeRequest } from "./transport.js";

export interface HttpTransportOptions {
  readonly contentType: MessageFormat;
  /** Value of the `Authorization` header. */
  readonly authorization?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Milliseconds until a silent master counts as unreachable. */
  readonly timeout: number;
}

/** `POST /api/v1/scheduler`: a RecordIO stream of events, and one request for each call. */
export class HttpSchedulerTransport implements SchedulerTransport {
  readonly defaultPort = 5050;

  constructor(private readonly options: HttpTransportOptions) {}

  async subscribe({ master, call, signal }: SubscribeRequest): Promise<SchedulerStream> {
    const { contentType, authorization, tls, timeout } = this.options;
    const calls = messageCoder(codecs.Call, contentType);
    const events = messageCoder(codecs.Event, contentType);
    const mediaType = MEDIA_TYPES[contentType];
    const api = await HttpApi.create({
      address: master,
      path: "/api/v1/scheduler",
      headers: {
        "content-type": mediaType,
        accept: mediaType,
        ...(authorization === undefined ? {} : { authorization }),
      },
      tls,
      timeout,
    });
    try {
      const { headers, records } = await api.open(calls.encode(call), signal);
      const streamId = headers["mesos-stream-id"];
      if (streamId === undefined) throw new ProtocolError("the answer to SUBSCRIBE has no Mesos-Stream-Id");
      const callHeaders = { "mesos-stream-id": streamId };
      return {
        events: decoded(records, events.decode),
        send: (next: Call) => api.post(calls.encode(next), callHeaders),
        close: () => api.close(),
      };
    } catch (error) {
      await api.close();
      throw understood(error, addressText(master));
    }
  }
}

/** What an agent says to SUBSCRIBE: it has another API below that path, and cannot read the call. */
const NO_SCHEDULER_API = /^Failed to (parse body|convert)|agent::Call/;

function understood(error: unknown, where: string): unknown {
  if (!(error instanceof CallRefusedError) || !NO_SCHEDULER_API.test(error.detail ?? "")) return error;
  return new CallRefusedError(
    `${where} cannot read SUBSCRIBE; is it a master? It said: ${error.detail}`,
    error.status,
  );
}

async function* decoded<T>(
  records: AsyncIterable<Uint8Array>,
  decode: (record: Uint8Array) => T,
): AsyncGenerator<T> {
  for await (const record of records) yield decode(record);
}
