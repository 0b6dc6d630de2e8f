import * as codecs from "../../proto/gen/json/mesos/v1/executor/executor.js";
import { Call_Type, type Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import type { ExecutorService } from "../../sdk/contracts/executor-service.js";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { answerFormat, methodNotAllowed, readCall, Subscribers } from "../../sdk/http/index.js";

export interface ExecutorEndpointOptions {
  readonly service: ExecutorService;
  readonly logger: Logger;
  /** Bytes of events that may wait for one executor. */
  readonly maxSubscriberBuffer: number;
}

const METHODS = ["POST"];

/**
 * `POST /api/v1/executor`: turns bodies into calls and events into bodies. The order of the checks is Mesos's: who it is, recovery,
 * method, body, content of the call, accepted type.
 */
export class ExecutorEndpoint implements HttpRoute {
  readonly path = "/api/v1/executor";
  readonly realm = "mesos-agent-executor";
  private readonly subscribers: Subscribers<Event>;

  constructor(private readonly options: ExecutorEndpointOptions) {
    this.subscribers = new Subscribers({
      codec: codecs.Event,
      logger: options.logger,
      who: "an executor",
      maxBufferedBytes: options.maxSubscriberBuffer,
    });
  }

  handle(request: HttpRequest, reply: HttpReply): void | Promise<void> {
    const { received } = request;
    if (received !== undefined) return this.answer(request, reply, received);
    return request.body().then((body) => this.answer(request, reply, body));
  }

  private answer(request: HttpRequest, reply: HttpReply, body: Buffer): void | Promise<void> {
    const { service } = this.options;
    const sender = service.identify(request.headers.authorization);
    if (sender.problem !== undefined) {
      reply.send(401, undefined, { "www-authenticate": challenge(this.realm, sender.problem) });
      return;
    }
    const { claims } = sender;
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
      const accepted = answerFormat(request.headers.accept, format);
      this.subscribers.open({ request, reply, format: accepted }, (connection) =>
        service.subscribe({ call, connection, claims }),
      );
      return;
    }
    // A heartbeat keeps the connection alive and may carry made-up ids: nobody looks at them, as in Mesos.
    const done = call.type === Call_Type.HEARTBEAT ? undefined : service.call(call, claims);
    if (done !== undefined) return done.then(() => reply.send(202));
    reply.send(202);
  }

  /** Ends every stream. */
  stop(): void {
    this.subscribers.close();
  }
}

/** As RFC 6750 has it: nothing of an error where nothing was tried. */
const challenge = (realm: string, problem: string): string =>
  `Bearer realm="${realm}"${problem === "" ? "" : `, error="invalid_token", error_description="${problem}"`}`;
