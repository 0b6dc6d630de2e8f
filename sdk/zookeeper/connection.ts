import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../contracts/clock.js";
import { messageOf } from "../errors/index.js";
import { ZooKeeperError } from "./errors.js";
import { FrameReader } from "./frames.js";
import { JuteError, JuteReader, type JuteWriter } from "./jute.js";
import {
  type ConnectRequest,
  type ConnectResponse,
  connectFrame,
  OP,
  readConnectResponse,
  readReplyHeader,
  readWatchEvent,
  requestOf,
  type WatchEvent,
  XID,
} from "./records.js";

export interface ConnectionHost {
  /** The server accepted the session, or refused it (timeout 0). @param sentAt when it was asked to, by the monotonic clock */
  established(response: ConnectResponse, sentAt: number): void;
  /** The server has received, and answered, what was sent at this time of the monotonic clock. */
  answered(sentAt: number): void;
  changed(event: WatchEvent): void;
  /** Called with each change that the server reports. */
  sawZxid(zxid: bigint): void;
  /** Called once, whoever closed it. */
  closed(reason: string): void;
}

export interface ConnectionOptions {
  readonly socket: Duplex;
  readonly clock: Clock;
  readonly request: ConnectRequest;
  /** Milliseconds within which the server must answer the connect request. */
  readonly connectTimeout: number;
  readonly host: ConnectionHost;
}

export interface Request<T> {
  readonly type: number;
  /** For errors: `create /mesos` */
  readonly about: string;
  readonly write: (writer: JuteWriter) => void;
  /** Called before anything that the server sent later is processed, such as the event of a watch that this request set. */
  readonly answer: (body: JuteReader) => T;
  /** The answer for a node that does not exist, where that is not an error. */
  readonly absent?: () => T;
}

interface Pending {
  readonly about: string;
  readonly sentAt: number;
  readonly settle: (error: number, body: JuteReader) => void;
  readonly reject: (error: ZooKeeperError) => void;
}

const NO_NODE = -101;
const SESSION_MOVED = -118;

/** A caller that sends faster than the server answers gets an error before memory runs out. */
const MOST_PENDING = 4096;

/** Servers accept no longer requests unless configured to. */
const MOST_REQUEST_BYTES = 1_048_575;

/**
 * One connection to one server: requests and responses, watch events, pings. It closes itself when the server is silent for two thirds of
 * the session timeout, or violates the protocol.
 */
export class Connection {
  private readonly frames = new FrameReader();
  private readonly pending = new Map<number, Pending>();
  private nextXid = 1;
  /** 0: the server has not answered the connect request yet. */
  private timeout = 0;
  private lastSent: number;
  private lastReceived: number;
  private pingSentAt: number | undefined;
  private timer: Timer;
  private ended = false;

  constructor(private readonly options: ConnectionOptions) {
    const { socket, clock, request, connectTimeout } = options;
    this.lastSent = this.lastReceived = clock.monotonic();
    socket.on("data", (bytes: Buffer) => this.receive(bytes));
    socket.on("error", (error: NodeJS.ErrnoException) => this.end(error.message || error.code || "failed"));
    socket.on("end", () => this.end("closed by the server"));
    socket.on("close", () => this.end("closed"));
    this.timer = clock.setTimeout(
      () => this.end(`no answer within ${Math.round(connectTimeout)} ms`),
      connectTimeout,
    );
    socket.write(connectFrame(request));
  }

  /** Rejects with ZooKeeperError. */
  request<T>({ type, about, write, answer, absent }: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(lost(about));
      if (this.pending.size >= MOST_PENDING) {
        return reject(new ZooKeeperError("throttled", `${about}: ${MOST_PENDING} requests are under way`));
      }
      const xid = this.nextXid;
      const frame = encode(xid, type, write);
      if (frame.length - 4 > MOST_REQUEST_BYTES) {
        return reject(
          new ZooKeeperError("marshalling-error", `${about}: the request has ${frame.length} bytes`),
        );
      }
      this.nextXid = xid === 0x7fffffff ? 1 : xid + 1;
      const settle = (error: number, body: JuteReader): void => {
        if (error === 0) resolve(answer(body));
        else if (error === NO_NODE && absent !== undefined) resolve(absent());
        else reject(ZooKeeperError.ofServer(error, about));
      };
      this.pending.set(xid, { about, sentAt: this.options.clock.monotonic(), settle, reject });
      this.send(frame);
    });
  }

  authenticate(scheme: string, credentials: Uint8Array): void {
    this.send(encode(XID.auth, OP.auth, (out) => out.int(0).text(scheme).buffer(credentials)));
  }

  /** Sets watches, and asks for events about everything that changed since `zxid`. */
  watch(zxid: bigint, paths: { data: string[]; exists: string[]; children: string[] }): void {
    const text = (out: JuteWriter, path: string): unknown => out.text(path);
    this.send(
      encode(XID.setWatches, OP.setWatches, (out) =>
        out.long(zxid).list(paths.data, text).list(paths.exists, text).list(paths.children, text),
      ),
    );
  }

  end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.timer.cancel();
    this.options.socket.destroy();
    for (const { about, reject } of this.pending.values()) reject(lost(about));
    this.pending.clear();
    this.options.host.closed(reason);
  }

  private send(frame: Buffer): void {
    this.lastSent = this.options.clock.monotonic();
    this.options.socket.write(frame);
  }

  private receive(bytes: Buffer): void {
    if (this.ended) return;
    this.lastReceived = this.options.clock.monotonic();
    try {
      for (const frame of this.frames.push(bytes)) {
        if (this.ended) return;
        this.take(new JuteReader(frame));
      }
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.end(`sent what is not ZooKeeper's protocol: ${messageOf(error)}`);
    }
  }

  private take(reader: JuteReader): void {
    if (this.timeout === 0) this.greet(readConnectResponse(reader));
    else this.reply(reader);
  }

  private greet(response: ConnectResponse): void {
    if (response.timeout < 0) throw new JuteError(`a session timeout of ${response.timeout} ms`);
    this.timer.cancel();
    this.timeout = response.timeout;
    const { host } = this.options;
    host.established(response, this.lastSent);
    if (this.timeout === 0) this.end("the session has expired");
    else if (!this.ended) this.schedule();
  }

  private reply(reader: JuteReader): void {
    const { host } = this.options;
    const { xid, zxid, error } = readReplyHeader(reader);
    if (zxid > 0n) host.sawZxid(zxid);
    switch (xid) {
      case XID.event:
        host.changed(readWatchEvent(reader));
        break;
      case XID.ping:
        if (this.pingSentAt !== undefined) host.answered(this.pingSentAt);
        this.pingSentAt = undefined;
        break;
      case XID.auth:
        if (error !== 0) this.end("refused the authentication");
        break;
      case XID.setWatches:
        if (error !== 0) this.end(`refused to watch (error ${error})`);
        break;
      default:
        this.settle(xid, error, reader);
    }
  }

  private settle(xid: number, error: number, reader: JuteReader): void {
    const [first] = this.pending.keys();
    if (first !== xid) throw new JuteError(`an answer to request ${xid} in place of ${first ?? "none"}`);
    const { sentAt, settle } = this.pending.get(xid)!;
    // Settle this first: if later answers cannot be read, closing the connection rejects all that are pending.
    settle(error, reader);
    this.pending.delete(xid);
    this.options.host.answered(sentAt);
    // The session continues on another server.
    if (error === SESSION_MOVED) this.end("the session has moved to another server");
  }

  /** Schedules the next ping or, after too long a silence, the close. */
  private schedule(): void {
    const { clock } = this.options;
    const now = clock.monotonic();
    const silent = this.lastReceived + (this.timeout * 2) / 3;
    if (now >= silent) {
      this.end(`no answer for ${Math.round(now - this.lastReceived)} ms`);
      return;
    }
    const due = this.lastSent + this.timeout / 3;
    if (now >= due && this.pingSentAt === undefined) {
      this.pingSentAt = now;
      this.send(requestOf(XID.ping, OP.ping).frame());
    }
    const next = this.pingSentAt === undefined ? Math.min(silent, this.lastSent + this.timeout / 3) : silent;
    this.timer = clock.setTimeout(() => this.schedule(), Math.max(1, next - now));
  }
}

function encode(xid: number, type: number, write: (writer: JuteWriter) => void): Buffer {
  const writer = requestOf(xid, type);
  write(writer);
  return writer.frame();
}

const lost = (about: string): ZooKeeperError =>
  new ZooKeeperError("connection-loss", `${about}: the connection is lost`);
