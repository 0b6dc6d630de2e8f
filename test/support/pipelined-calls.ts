import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { RecordDecoder } from "../../sdk/recordio/index.js";

interface Port {
  readonly port: number;
}

/** A connection on which calls of an API are sent without waiting for the answers. */
export class PipelinedCalls {
  /** Answers by their status. */
  readonly statuses = new Map<number, number>();
  closed = false;
  private answered = 0;
  private expected = 0;
  private rest = "";
  private waiting: (() => void) | undefined;

  private constructor(
    readonly socket: Socket,
    private readonly head: string,
  ) {
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.read(text));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      this.waiting?.();
    });
  }

  static async open(
    { port }: Port,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<PipelinedCalls> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    const lines = Object.entries({ Host: "a", "Content-Type": "application/json", ...headers });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return new PipelinedCalls(socket, `POST ${path} HTTP/1.1\r\n${head}`);
  }

  /** All in one go; resolves when they have left. */
  async send(bodies: readonly string[]): Promise<void> {
    this.expected += bodies.length;
    const text = bodies.map(
      (body) => `${this.head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    if (!this.socket.write(text.join(""))) await Promise.race([once(this.socket, "drain"), this.gone()]);
  }

  /** Resolves when all are answered, or the connection is gone. */
  async answers(): Promise<ReadonlyMap<number, number>> {
    while (this.answered < this.expected && !this.closed)
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    return this.statuses;
  }

  close(): void {
    this.socket.destroy();
  }

  private async gone(): Promise<void> {
    if (!this.closed) await once(this.socket, "close");
  }

  /** Answers have short bodies without a status line in them. */
  private read(text: string): void {
    const all = this.rest + text;
    const lines = [...all.matchAll(/HTTP\/1\.1 (\d{3}) /g)];
    for (const [, code] of lines) this.statuses.set(Number(code), (this.statuses.get(Number(code)) ?? 0) + 1);
    this.answered += lines.length;
    const last = lines.at(-1);
    this.rest = all.slice(Math.max(last === undefined ? 0 : last.index + last[0].length, all.length - 12));
    this.waiting?.();
  }
}

/** An event stream in JSON. */
export class EventsOf {
  readonly decoder = new RecordDecoder(1 << 28);
  over = false;

  private constructor(
    readonly response: IncomingMessage,
    private readonly seen: (event: Record<string, unknown>) => void,
  ) {
    response.on("data", (chunk: Buffer) => {
      for (const record of this.decoder.push(chunk)) this.seen(JSON.parse(Buffer.from(record).toString()));
    });
    response.on("error", () => undefined);
    response.on("close", () => {
      this.over = true;
    });
  }

  static async open(
    { port }: Port,
    path: string,
    { body, seen }: { body: object; seen: (event: never) => void },
  ): Promise<EventsOf> {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const request = httpRequest({ host: "127.0.0.1", port, path, method: "POST", headers, agent: false });
    request.end(JSON.stringify(body));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`${path} was answered ${response.statusCode}`);
    return new EventsOf(response, seen as (event: Record<string, unknown>) => void);
  }

  get streamId(): string {
    return String(this.response.headers["mesos-stream-id"]);
  }

  close(): void {
    this.response.destroy();
  }
}

interface SchedulerEvent {
  readonly subscribed?: { readonly framework_id: { readonly value: string } };
  readonly offers?: {
    readonly offers: readonly { readonly id: object; readonly agent_id: { readonly value: string } }[];
  };
}

/** A framework that reads all of its events, and acknowledges nothing. */
export class FloodingFramework {
  id = "";
  events = 0;
  /** The latest. */
  offer: { readonly id: object; readonly agent_id: { readonly value: string } } | undefined;
  private opened: EventsOf | undefined;

  private constructor(private readonly master: Port) {}

  static async subscribe(master: Port, info: object = {}): Promise<FloodingFramework> {
    const framework = new FloodingFramework(master);
    const framework_info = { user: "root", name: "flooding", ...info };
    const stream = await EventsOf.open(master, "/api/v1/scheduler", {
      body: { type: "SUBSCRIBE", subscribe: { framework_info } },
      seen: ({ subscribed, offers }: SchedulerEvent) => {
        if (subscribed !== undefined) framework.id = subscribed.framework_id.value;
        framework.offer = offers?.offers.at(-1) ?? framework.offer;
        framework.events++;
      },
    });
    framework.opened = stream;
    while (framework.id === "") await once(stream.response, "data");
    return framework;
  }

  get stream(): EventsOf {
    return this.opened!;
  }

  /** Another connection for calls. */
  calls(): Promise<PipelinedCalls> {
    return PipelinedCalls.open(this.master, "/api/v1/scheduler", { "Mesos-Stream-Id": this.stream.streamId });
  }

  body(type: string, part?: object): string {
    return JSON.stringify({
      type,
      framework_id: { value: this.id },
      ...(part && { [type.toLowerCase()]: part }),
    });
  }
}
