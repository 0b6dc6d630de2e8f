import * as codecs from "../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import { Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { SchedulerService } from "../../sdk/contracts/scheduler-service.js";
import { TepuiError } from "../../sdk/errors/index.js";
import {
  answeredByLeadership,
  answerFormat,
  methodNotAllowed,
  readCall,
  Subscribers,
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
  private readonly subscribers: Subscribers<Event>;

  constructor(private readonly options: SchedulerEndpointOptions) {
    this.subscribers = new Subscribers({
      codec: codecs.Event,
      logger: options.logger,
      who: "a scheduler",
      maxBufferedBytes: options.maxSubscriberBuffer,
    });
  }

  handle(request: HttpRequest, reply: HttpReply): void | Promise<void> {
    const { received } = request;
    if (received !== undefined) return this.answer(request, reply, received);
    return request.body().then((body) => this.answer(request, reply, body));
  }

  private answer(request: HttpRequest, reply: HttpReply, body: Buffer): void | Promise<void> {
    const { service, random } = this.options;
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
      const assigned = random.uuid();
      const headers = { "Mesos-Stream-Id": assigned };
      this.subscribers.open({ request, reply, format: accepted, headers }, (connection) =>
        service.subscribe({ call, principal: request.principal, connection, streamId: assigned }),
      );
      return;
    }
    if (call.type === Call_Type.RECONCILE_OPERATIONS) answerFormat(request.headers.accept, format);
    const done = service.call({ call, principal: request.principal, streamId });
    const status = call.type === Call_Type.UPDATE_FRAMEWORK ? 200 : 202;
    if (done !== undefined) return done.then(() => reply.send(status));
    reply.send(status);
  }

  /** Ends every stream. */
  stop(): void {
    this.subscribers.close();
  }
}

function streamIdOf(request: HttpRequest): string | undefined {
  const value = request.headers["mesos-stream-id"];
  return Array.isArray(value) ? value[0] : value;
}
