import { type Duplex, duplexPair } from "node:stream";
import { FrameReader } from "../../../sdk/zookeeper/frames.js";
import { JuteReader, JuteWriter } from "../../../sdk/zookeeper/jute.js";
import { OP, XID } from "../../../sdk/zookeeper/records.js";
import type { Dial } from "../../../sdk/zookeeper/session.js";

export interface Request {
  readonly xid: number;
  readonly type: number;
  readonly body: JuteReader;
}

/** One connection as the server sees it. */
export class ServerSide {
  readonly requests: Request[] = [];
  /** Answers pings by itself. */
  alive = true;
  /** The session that the client asked for; 0: a new one. */
  asked: bigint | undefined;
  closed = false;
  private readonly frames = new FrameReader();

  constructor(
    readonly socket: Duplex,
    private readonly greeting: (asked: bigint) => { timeout: number; sessionId: bigint } | undefined,
  ) {
    socket.on("data", (bytes: Buffer) => {
      for (const frame of this.frames.push(bytes)) this.receive(new JuteReader(frame));
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
    socket.on("end", () => {
      this.closed = true;
    });
  }

  /** The answer to a request; `write` adds its body. */
  reply(xid: number, error: number, write: (out: JuteWriter) => void = () => {}): void {
    const writer = new JuteWriter().int(xid).long(7n).int(error);
    write(writer);
    this.socket.write(writer.frame());
  }

  types(): number[] {
    return this.requests.map(({ type }) => type);
  }

  private receive(reader: JuteReader): void {
    if (this.asked === undefined) {
      reader.int();
      reader.long();
      reader.int();
      this.asked = reader.long();
      const greeting = this.greeting(this.asked);
      if (greeting === undefined) return;
      const { timeout, sessionId } = greeting;
      this.socket.write(
        new JuteWriter().int(0).int(timeout).long(sessionId).buffer(Buffer.alloc(16, 1)).bool(false).frame(),
      );
      return;
    }
    const request = { xid: reader.int(), type: reader.int(), body: reader };
    this.requests.push(request);
    if (this.alive && request.type === OP.ping) this.reply(XID.ping, 0);
    if (this.alive && request.type === OP.auth) this.reply(XID.auth, 0);
    if (this.alive && request.type === OP.setWatches) this.reply(XID.setWatches, 0);
  }
}

/** Servers that do what a test wants. */
export class ScriptedServers {
  readonly connections: ServerSide[] = [];
  /** In milliseconds; undefined: connections stay unanswered. 0: the session has expired. */
  timeout: number | undefined = 3000;
  /** Session ids in the order in which they are given out. */
  private next = 100n;

  readonly dial: Dial = () => {
    const [near, far] = duplexPair();
    this.connections.push(
      new ServerSide(far, (asked) => {
        const { timeout } = this;
        if (timeout === undefined) return undefined;
        if (timeout === 0) {
          this.timeout = 3000;
          return { timeout: 0, sessionId: 0n };
        }
        return { timeout, sessionId: asked === 0n ? ++this.next : asked };
      }),
    );
    return near;
  };

  get last(): ServerSide {
    return this.connections.at(-1)!;
  }
}
