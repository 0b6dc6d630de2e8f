import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../contracts/clock.js";
import type { Logger } from "../contracts/logger.js";
import type { Random } from "../contracts/random.js";
import { Connection } from "./connection.js";
import type { ConnectResponse, WatchEvent } from "./records.js";
import { describeServer, type ZooKeeperServer } from "./url.js";
import { Watches } from "./watches.js";

/** Opens a connection; writes before it is open are queued. */
export type Dial = (server: ZooKeeperServer) => Duplex;

export interface SessionOptions {
  readonly servers: readonly ZooKeeperServer[];
  /** Milliseconds; the servers may grant another value. */
  readonly sessionTimeout: number;
  /** `user:password` for digest authentication. */
  readonly credentials?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** TCP by default. */
  readonly dial?: Dial;
}

export interface SessionListener {
  /** A server has accepted the session. @param resumed it is the previous session: its ephemeral nodes and watches still exist */
  connected?(resumed: boolean): void;
  /** The connection is lost, but the session may go on: another server is being tried. */
  disconnected?(reason: string): void;
  /** The session has expired, or must be assumed to have: its ephemeral nodes and watches are gone. A new session follows. */
  expired?(reason: string): void;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** Reports about an unreachable ensemble become ever less frequent. */
const FIRST_REPORT_MS = 1000;
const SELDOMEST_REPORT_MS = 300_000;

const NO_PASSWORD = Buffer.alloc(16);

/**
 * A session with an ensemble, over one connection after another. When it ends, a new one begins.
 *
 * Even without word from a server the session counts as expired once its timeout has passed since the last answered request was sent: the
 * servers received that request no earlier, so they cannot have expired the session before.
 */
export class Session {
  readonly watches = new Watches();
  connection: Connection | undefined;
  private open = false;
  private id = 0n;
  private password: Buffer = NO_PASSWORD;
  private negotiated: number;
  private lastZxid = 0n;
  private aliveUntil = 0;
  private guard: Timer | undefined;
  private retry: Timer | undefined;
  private stopped = true;
  private readonly listeners = new Set<SessionListener>();
  private readonly servers: ZooKeeperServer[];
  private attempts = 0;
  /** Consecutive connections that failed before an answer. */
  private failures = 0;
  private pause = FIRST_PAUSE_MS;
  private nextReport = 0;
  private reportPause = FIRST_REPORT_MS;

  constructor(private readonly options: SessionOptions) {
    this.negotiated = options.sessionTimeout;
    this.servers = shuffled(options.servers, options.random);
  }

  get connected(): boolean {
    return this.open;
  }

  /** 0: no session. */
  get sessionId(): bigint {
    return this.id;
  }

  /** Milliseconds, as granted; before that, as requested. */
  get timeout(): number {
    return this.negotiated;
  }

  listen(listener: SessionListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.connect();
  }

  /** Closes the connection and rejects everything that waits. The servers end the session when it times out. */
  stop(): void {
    this.stopped = true;
    this.guard?.cancel();
    this.retry?.cancel();
    this.connection?.end("stopped");
    this.id = 0n;
    this.watches.clear();
  }

  private connect(): void {
    const { clock, dial = tcp, sessionTimeout } = this.options;
    const server = this.servers[this.attempts++ % this.servers.length]!;
    const place = describeServer(server);
    this.connection = new Connection({
      socket: dial(server),
      clock,
      request: {
        lastZxid: this.lastZxid,
        timeout: sessionTimeout,
        sessionId: this.id,
        password: this.password,
      },
      connectTimeout: Math.max(MIN_CONNECT_MS, this.negotiated / this.servers.length),
      host: {
        established: (response, sentAt) => this.established(place, response, sentAt),
        answered: (sentAt) => this.answered(sentAt),
        changed: (event: WatchEvent) => this.watches.fire(event),
        sawZxid: (zxid) => {
          if (zxid > this.lastZxid) this.lastZxid = zxid;
        },
        closed: (reason) => this.closed(`${place}: ${reason}`),
      },
    });
  }

  private established(place: string, response: ConnectResponse, sentAt: number): void {
    const { logger, credentials } = this.options;
    const { timeout, sessionId, password } = response;
    if (timeout === 0) {
      this.expire("the ensemble has ended the session");
      return;
    }
    const resumed = this.id !== 0n && this.id === sessionId;
    const connection = this.connection!;
    this.id = sessionId;
    this.password = password;
    this.negotiated = timeout;
    this.aliveUntil = sentAt + timeout;
    this.open = true;
    this.watchOver();
    if (credentials !== undefined) connection.authenticate("digest", Buffer.from(credentials, "utf8"));
    for (const portion of this.watches.portions()) connection.watch(this.lastZxid, portion);
    logger.info(
      { server: place, session: `0x${BigInt.asUintN(64, sessionId).toString(16)}`, timeout },
      resumed ? "reconnected to ZooKeeper" : "connected to ZooKeeper",
    );
    this.notify((listener) => listener.connected?.(resumed));
  }

  private answered(sentAt: number): void {
    this.aliveUntil = Math.max(this.aliveUntil, sentAt + this.negotiated);
    // Reset only here: a server that accepts connections and drops them is no better than one that does not answer.
    this.failures = 0;
    this.pause = FIRST_PAUSE_MS;
    this.nextReport = 0;
    this.reportPause = FIRST_REPORT_MS;
  }

  /** Ends the session in time if no server answers. */
  private watchOver(): void {
    const { clock } = this.options;
    this.guard?.cancel();
    const left = this.aliveUntil - clock.monotonic();
    if (left > 0) {
      this.guard = clock.setTimeout(() => this.watchOver(), left);
      return;
    }
    this.expire(`no server has answered for ${Math.round(this.negotiated - left)} ms`);
    this.connection?.end("the session has expired");
  }

  private expire(reason: string): void {
    if (this.id === 0n) return;
    this.options.logger.warn({ reason }, "the ZooKeeper session has expired");
    this.guard?.cancel();
    this.id = 0n;
    this.password = NO_PASSWORD;
    this.open = false;
    // A new session may begin on a server that has seen less, or with a newly created ensemble.
    this.lastZxid = 0n;
    this.watches.clear();
    this.notify((listener) => listener.expired?.(reason));
  }

  private closed(reason: string): void {
    const { clock, logger, random } = this.options;
    const wasOpen = this.open;
    this.open = false;
    this.connection = undefined;
    if (this.stopped) return;
    this.failures++;
    const wait = this.pauseBefore(random);
    this.retry?.cancel();
    this.retry = clock.setTimeout(() => {
      this.retry = undefined;
      if (!this.stopped) this.connect();
    }, wait);
    if (wasOpen && this.failures === 1) logger.warn({ reason }, "lost the connection to ZooKeeper");
    else this.report(reason);
    if (wasOpen) this.notify((listener) => listener.disconnected?.(reason));
  }

  /** No pause from one server to the next; a growing one after all have failed. */
  private pauseBefore(random: Random): number {
    if (this.failures % this.servers.length !== 0) return 0;
    const wait = this.pause * (0.5 + random.next() / 2);
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
    return wait;
  }

  private report(reason: string): void {
    const { clock, logger } = this.options;
    const now = clock.monotonic();
    if (this.failures < this.servers.length || now < this.nextReport) return;
    this.nextReport = now + this.reportPause;
    this.reportPause = Math.min(2 * this.reportPause, SELDOMEST_REPORT_MS);
    logger.warn({ reason, attempts: this.failures }, "no server of the ZooKeeper ensemble can be reached");
  }

  private notify(what: (listener: SessionListener) => void): void {
    for (const listener of [...this.listeners]) what(listener);
  }
}

/** The least time a connection attempt gets, however many servers share the session timeout. */
const MIN_CONNECT_MS = 100;

const tcp: Dial = ({ host, port }) => connect({ host, port, noDelay: true });

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const list = [...values];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random.next() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
  return list;
}
