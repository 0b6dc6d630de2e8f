import * as codecs from "../../proto/gen/json/mesos/v1/agent/agent.js";
import { type Call, Call_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { methodNotAllowed, sendMessage } from "../../sdk/http/index.js";
import type { AgentApi, CallContext } from "./call-context.js";
import { callRecords, readOne } from "./call-records.js";
import { CALLS } from "./calls.js";
import { type MediaTypes, mediaTypes } from "./media-types.js";

const METHODS = ["POST"];

/** The calls that are answered with a stream. */
const STREAMED: ReadonlySet<number | undefined> = new Set([
  Call_Type.ATTACH_CONTAINER_OUTPUT,
  Call_Type.LAUNCH_NESTED_CONTAINER_SESSION,
]);

/** `POST /api/v1`: one call, one answer. The order of the checks is Mesos's: recovery, method, media types, body, content of the call, type. */
export class AgentEndpoint implements HttpRoute {
  readonly path = "/api/v1";
  readonly realm = "mesos-agent-readwrite";

  constructor(private readonly api: AgentApi) {}

  async handle(request: HttpRequest, reply: HttpReply): Promise<void> {
    if (!this.api.ready()) {
      reply.text(503, "Agent has not finished recovery");
      return;
    }
    if (request.method !== "POST") {
      methodNotAllowed(request, reply, METHODS);
      return;
    }
    const media = mediaTypes(request.headers);
    if (!media.request.streaming) {
      const call = readOne(media.request.format, request.received ?? (await request.body()));
      await this.carryOut({ call, media, reply, records: NO_RECORDS });
      return;
    }
    const records = callRecords(request.stream(), media.request.format);
    try {
      const { value: call } = await records.next();
      if (call === undefined) {
        throw new TepuiError("TEPUI_CALL_INVALID", { detail: "Received EOF while reading request body" });
      }
      await this.carryOut({ call, media, reply, records });
    } finally {
      // Not waited for: it may be reading what the client takes its time to send.
      records.return().catch((error: unknown) => this.api.logger.debug({ err: error }, "A body broke off"));
    }
  }

  private async carryOut(given: Omit<CallContext, "api" | "respond">): Promise<void> {
    const { call, media, reply } = given;
    checkStreaming(call, media);
    const handler = CALLS[call.type ?? Call_Type.UNKNOWN];
    if (handler === undefined) {
      reply.text(501, "501 Not Implemented.");
      return;
    }
    await handler({
      ...given,
      api: this.api,
      respond: (message) =>
        sendMessage(reply, { codec: codecs.Response, message, format: media.answer.format }),
    });
  }
}

const NO_RECORDS: AsyncIterator<Call, void> = { next: async () => ({ done: true, value: undefined }) };

/** Refuses streams where they are not due, and their lack where they are. */
function checkStreaming({ type }: Call, { request, answer }: MediaTypes): void {
  const name = Call_Type[type ?? Call_Type.UNKNOWN] ?? "UNKNOWN";
  const streams = type === Call_Type.ATTACH_CONTAINER_INPUT;
  if (request.streaming && !streams) {
    const detail = `Streaming 'Content-Type' application/recordio is not supported for ${name} call`;
    throw new TepuiError("TEPUI_MEDIA_TYPE_UNSUPPORTED", { detail });
  }
  if (!request.streaming && streams) {
    const detail = `Expecting 'Content-Type' to be application/recordio for ${name} call`;
    throw new TepuiError("TEPUI_MEDIA_TYPE_UNSUPPORTED", { detail });
  }
  if (answer.streaming && !STREAMED.has(type)) {
    const detail = `Streaming response is not supported for ${name} call`;
    throw new TepuiError("TEPUI_NOT_ACCEPTABLE", { detail });
  }
}
