import * as codecs from "../../proto/gen/json/mesos/v1/master/master.js";
import { Call_Type, type Response } from "../../proto/gen/mesos/v1/master/master.js";
import type { HttpReply, HttpRequest, HttpRoute } from "../../sdk/contracts/http-server.js";
import {
  answeredByLeadership,
  answerFormat,
  MEDIA_TYPES,
  type MessageFormat,
  methodNotAllowed,
  readCall,
  sendMessage,
} from "../../sdk/http/index.js";
import { ACTIONS } from "./actions.js";
import { CLUSTER_READS, type OperatorApi, READS } from "./reads.js";
import { validateCall } from "./validate-call.js";

const METHODS = ["POST"];

/** `POST /api/v1`: one call, one answer, but for SUBSCRIBE, which is answered with events. The order of the checks is Mesos's: leadership, method, body, content of the call, type. */
export class OperatorEndpoint implements HttpRoute {
  readonly path = "/api/v1";
  readonly realm = "mesos-master-readwrite";

  constructor(private readonly api: OperatorApi) {}

  async handle(request: HttpRequest, reply: HttpReply): Promise<void> {
    if (answeredByLeadership(this.api.service.leadership(), request, reply)) return;
    if (request.method !== "POST") {
      methodNotAllowed(request, reply, METHODS);
      return;
    }
    const body = request.received ?? (await request.body());
    const { call, format } = readCall(codecs.Call, request.headers["content-type"], body);
    validateCall(call);
    const accepted = answerFormat(request.headers.accept, format);
    const type = call.type ?? 0;
    if (type === Call_Type.SUBSCRIBE) {
      await this.api.streams.open(request, reply, accepted);
      return;
    }
    const act = ACTIONS[type];
    if (act !== undefined) {
      reply.send(await act(this.api, call, request.principal));
      return;
    }
    const clusterRead = CLUSTER_READS[type];
    if (clusterRead !== undefined) {
      const body = await this.api.shared.ask(`${type} ${accepted}`, () =>
        encode(clusterRead(this.api), accepted),
      );
      // It may have been deposed meanwhile.
      if (answeredByLeadership(this.api.service.leadership(), request, reply)) return;
      reply.send(200, body, { "Content-Type": MEDIA_TYPES[accepted] });
      return;
    }
    const read = READS[type];
    if (read === undefined) {
      reply.text(501, "501 Not Implemented.");
      return;
    }
    const response = await read(this.api, call);
    sendMessage(reply, { codec: codecs.Response, message: response, format: accepted });
  }
}

const encode = (response: Response, format: MessageFormat): string | Uint8Array =>
  format === "json" ? codecs.Response.json.write(response) : codecs.Response.encode(response);
