import * as codecs from "../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import { type Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { SchedulerService, SchedulerSession } from "../../sdk/contracts/scheduler-service.js";
import { TepuiError } from "../../sdk/errors/index.js";
import {
  answeredByLeadership,
  answerFormat,
  EventStream,
  type MessageFormat,
  methodNotAllowed,
  readCall,
} from "../../sdk/http/index.js";

export interface SchedulerEndpointOptions {
  readonly service: SchedulerService;
  readonly random: Random;
  readonly logger: Logger;
  /** Bytes of events that may wait for one scheduler. */
  readonly maxSubscriberBuffer: number;
}

const METHODS = ["POST"];

/**
 * `POST /api/v1/scheduler`: turns bodies into calls and events into bodies. The order of the checks is Mesos's: leadership, method,
 * body, content of the call, accepted type, stream id.
 */
export class SchedulerEndpoint implements HttpRoute {
  readonly path = "/api/v1/scheduler";
  readonly realm = "mesos-master-scheduler";
  private readonly streams = new Set<EventStream<Event>>();

  constructor(private readonly options: SchedulerEndpointOptions) {}

  async handle(request: HttpRequest, reply: HttpReply): Promise<void> {
    const { service } = this.options;
    const body = await request.body();
    if (answeredByLeadership(service.leadership(), request, reply)) return;
    if (request.method !== "POST") {
      methodNotAllowed(request, reply, METHODS);
      return;
    }
    const { call, format } = readCall(codecs.Call, request.headers["content-type"], body);
    service.validate(call);
    const streamId = streamIdOf(request);
    if (call.type === Call_Type.SUBSCRIBE) {
      const accepted = answerFormat(request.headers.accept, format);
      if (streamId !== undefined) {
        throw new TepuiError("TEPUI_CALL_INVALID", {
          detail: "Subscribe calls should not include the 'Mesos-Stream-Id' header",
        });
      }
      this.subscribe(call, request, { reply, format: accepted });
      return;
    }
    if (call.type === Call_Type.RECONCILE_OPERATIONS) answerFormat(request.headers.accept, format);
    await service.call({ call, principal: request.principal, streamId });
    reply.send(call.type === Call_Type.UPDATE_FRAMEWORK ? 200 : 202);
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
    const { service, random, logger, maxSubscriberBuffer } = this.options;
    const streamId = random.uuid();
    let session: SchedulerSession | undefined;
    const stream = new EventStream<Event>({
      ...answer,
      codec: codecs.Event,
      headers: { "Mesos-Stream-Id": streamId },
      maxBufferedBytes: maxSubscriberBuffer,
      gone: (cause) => {
        this.streams.delete(stream);
        if (cause === "overrun") {
          logger.warn(
            { streamId, peer: request.peer, limit: maxSubscriberBuffer },
            "Cut off a scheduler that does not read its events",
          );
        }
        session?.disconnected();
      },
    });
    session = service.subscribe({ call, principal: request.principal, connection: stream, streamId });
    this.streams.add(stream);
    stream.open();
  }
}

function streamIdOf(request: HttpRequest): string | undefined {
  const value = request.headers["mesos-stream-id"];
  return Array.isArray(value) ? value[0] : value;
}
