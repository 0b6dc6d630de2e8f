import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as codecs from "../../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import { Call_Type, type Event } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { ProtocolError } from "../../../sdk/client/errors.js";
import { messageCoder } from "../../../sdk/client/message-coder.js";
import type { SchedulerService } from "../../../sdk/contracts/scheduler-service.js";
import { isTepuiError } from "../../../sdk/errors/index.js";

/** `POST /api/v1/scheduler` of a master, in as few lines as the client under test needs. */
export class HttpEdge {
  /** Headers of every request, in order. */
  readonly requests: IncomingMessage["headers"][] = [];
  private readonly server: Server;

  constructor(private readonly service: SchedulerService) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => this.answer(request, response, Buffer.concat(chunks)));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    this.requests.push(request.headers);
    const { leader, role } = this.service.leadership();
    if (leader !== undefined) {
      response.writeHead(307, { location: `//${leader.hostname}:${leader.port}${request.url}` }).end();
      return;
    }
    if (role !== "leading") {
      response.writeHead(503).end("no leader");
      return;
    }
    const json = request.headers["content-type"] === "application/json";
    const format = json ? "json" : "protobuf";
    const { encode } = messageCoder(codecs.Event, format);
    try {
      const call = messageCoder(codecs.Call, format).decode(body);
      this.service.validate(call);
      if (call.type === Call_Type.SUBSCRIBE) {
        const streamId = randomUUID();
        response.writeHead(200, {
          "mesos-stream-id": streamId,
          "content-type": request.headers["content-type"],
        });
        const send = (event: Event): boolean => {
          const record = encode(event);
          return response.write(Buffer.concat([Buffer.from(`${record.length}\n`), record]));
        };
        const connection = { send, close: () => void response.end() };
        const session = this.service.subscribe({ call, principal: undefined, connection, streamId });
        response.on("close", () => session.disconnected());
        return;
      }
      const streamId = request.headers["mesos-stream-id"];
      const done = this.service.call({
        call,
        principal: undefined,
        streamId: typeof streamId === "string" ? streamId : undefined,
      });
      void Promise.resolve(done).then(
        () => response.writeHead(202).end(),
        (error: unknown) => refuse(response, error),
      );
    } catch (error) {
      refuse(response, error);
    }
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  // A body that cannot be read is the client's fault, not an error of this side.
  const status = error instanceof ProtocolError ? 400 : isTepuiError(error) ? error.http : 500;
  response.writeHead(status).end(String(error instanceof Error ? error.message : error));
}
