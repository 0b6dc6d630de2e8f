/** A scheduler with as little of its own as possible, so that a bench measures the daemons: protobuf over two HTTP connections. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { FrameworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type, Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { PartialMessage } from "../../sdk/client/partial.js";

export class BareScheduler {
  frameworkId = "";
  #streamId = "";
  #calls: Socket | undefined;
  #corked: Buffer[] = [];
  #stream: IncomingMessage | undefined;

  constructor(
    readonly master: { host: string; port: number },
    readonly onEvent: (event: Event) => void,
    readonly onFailure: (error: Error) => void,
  ) {}

  async subscribe(framework: PartialMessage<FrameworkInfo>): Promise<void> {
    const body = Call.encode(
      Call.fromPartial({
        type: Call_Type.SUBSCRIBE,
        subscribe: { framework_info: framework as FrameworkInfo, suppressed_roles: [] },
      }),
    ).finish();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        ...this.master,
        method: "POST",
        path: "/api/v1/scheduler",
        headers: { "content-type": "application/x-protobuf", accept: "application/x-protobuf" },
      });
      request.on("response", resolve).on("error", reject);
      request.end(body);
    });
    if (response.statusCode !== 200) throw new Error(`SUBSCRIBE was answered ${response.statusCode}`);
    this.#streamId = String(response.headers["mesos-stream-id"]);
    this.#stream = response;
    const socket = connect({ ...this.master, noDelay: true });
    socket.on("data", (answer) => this.#check(answer));
    this.#calls = socket;
    let rest: Buffer = Buffer.alloc(0);
    response.on("data", (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      rest = this.#readEvents(rest);
    });
  }

  /** Calls of one turn leave in one write, pipelined. */
  call(call: PartialMessage<Call>): void {
    const body = Call.encode(
      Call.fromPartial({ ...call, framework_id: { value: this.frameworkId } } as Call),
    ).finish();
    if (this.#corked.length === 0) setImmediate(() => this.#flush());
    this.#corked.push(
      Buffer.from(
        `POST /api/v1/scheduler HTTP/1.1\r\nHost: ${this.master.host}:${this.master.port}\r\n` +
          `Content-Type: application/x-protobuf\r\nAccept: application/x-protobuf\r\n` +
          `Mesos-Stream-Id: ${this.#streamId}\r\nContent-Length: ${body.length}\r\n\r\n`,
        "latin1",
      ),
      Buffer.from(body),
    );
  }

  close(): void {
    this.#stream?.destroy();
    this.#calls?.destroy();
  }

  #flush(): void {
    this.#calls?.write(Buffer.concat(this.#corked));
    this.#corked = [];
  }

  #check(answer: Buffer): void {
    const refused = /^HTTP\/1\.1 (?!20[02] )[\s\S]{0,300}/m.exec(answer.toString("latin1"));
    if (refused !== null) this.#fail(new Error(`a call was refused: ${refused[0]}`));
  }

  #fail(error: Error): void {
    this.close();
    this.onFailure(error);
  }

  #readEvents(data: Buffer): Buffer {
    let at = 0;
    for (;;) {
      const eol = data.indexOf(10, at);
      if (eol < 0) break;
      const size = Number(data.toString("latin1", at, eol));
      if (data.length < eol + 1 + size) break;
      const event = Event.decode(data.subarray(eol + 1, eol + 1 + size));
      if (event.subscribed !== undefined) this.frameworkId = event.subscribed.framework_id?.value ?? "";
      this.onEvent(event);
      at = eol + 1 + size;
    }
    return data.subarray(at);
  }
}
