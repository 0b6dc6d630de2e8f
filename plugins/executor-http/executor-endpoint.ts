import * as codecs from "../../proto/gen/json/mesos/v1/executor/executor.js";
import { type Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import type { ExecutorService, ExecutorSession } from "../../sdk/contracts/executor-service.js";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import {
  answerFormat,
  EventStream,
  type MessageFormat,
  methodNotAllowed,
  readCall,
} from "../../sdk/http/index.js";

export interface ExecutorEndpointOptions {
  readonly service: ExecutorService;
  readonly logger: Logger;
  /** Bytes of events that may wait for one executor. */
  readonly maxSubscriberBuffer: number;
}

const METHODS = ["POST"];

/**
 * `POST /api/v1/executor`: turns bodies into calls and events into bodies. The order of the checks is Mesos's: recovery, method,
 * body, content of the call, accepted type.
 */
export class ExecutorEndpoint implements HttpRoute {
  readonly path = "/api/v1/executor";
  readonly realm = "mesos-agent-executor";
  private readonly streams = new Set<EventStream<Event>>();

  constructor(private readonly options: ExecutorEndpointOptions) {}

  async handle(request: HttpRequest, reply: HttpReply): Promise<void> {
    const { service } = this.options;
    const body = await request.body();
    if (!service.ready()) {
      reply.text(503, "Agent has not finished recovery");
      return;
    }
    if (request.method !== "POST") {
      methodNotAllowed(request, reply, METHODS);
      return;
    }
    const { call, format } = readCall(codecs.Call, request.headers["content-type"], body);
    service.validate(call);
    if (call.type === Call_Type.SUBSCRIBE) {
      this.subscribe(call, request, { reply, format: answerFormat(request.headers.accept, format) });
      return;
    }
    // A heartbeat keeps the connection alive and may carry made-up ids: nobody looks at them, as in Mesos.
    if (call.type !== Call_Type.HEARTBEAT) service.call(call);
    reply.send(202);
  }

  /** Ends every stream. */
  stop(): void {
    for (const stream of this.streams) stream.close();
  }

  private subscribe(
    call: Call,
    request: HttpRequest,
    answer: { readonly reply: HttpReply; readonly format: MessageFormat },
  ): void {
    const { service, logger, maxSubscriberBuffer } = this.options;
    let session: ExecutorSession | undefined;
    const stream = new EventStream<Event>({
      ...answer,
      codec: codecs.Event,
      maxBufferedBytes: maxSubscriberBuffer,
      gone: (cause) => {
        this.streams.delete(stream);
        if (cause === "overrun") {
          logger.warn(
            { peer: request.peer, limit: maxSubscriberBuffer },
            "Cut off an executor that does not read its events",
          );
        }
        session?.disconnected();
      },
    });
    session = service.subscribe({ call, connection: stream });
    this.streams.add(stream);
    stream.open();
  }
}
