import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from "node:net";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type {
  ConnectionTaker,
  HttpRoute,
  HttpServer,
  RequestTaker,
} from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { isTepuiError, messageOf } from "../../sdk/errors/index.js";
import { HttpDate, methodNotAllowed, OncePerPeer, TurnBudget } from "../../sdk/http/index.js";
import { type Address, type AddressSettings, advertisedAddress, bindAddress } from "./advertised-address.js";
import { AnswerBudget } from "./answer-budget.js";
import { AnswerHeads } from "./answer-heads.js";
import { BodyBudget } from "./body-budget.js";
import { Compressor } from "./compressor.js";
import { ConnectionGate } from "./connection-gate.js";
import { listen } from "./listening.js";
import { NodeOutgoing } from "./node-outgoing.js";
import type { Outgoing } from "./outgoing.js";
import { PipelineLimit } from "./pipeline-limit.js";
import { PostConnection, type PostConnectionOptions } from "./post-connection.js";
import { PostHeads } from "./post-head.js";
import { refuse } from "./refusal.js";
import { type ReplyTools, ServerReply } from "./reply.js";
import {
  NodeRequest,
  type RequestSource,
  type RequestTarget,
  ServerRequest,
  splitTarget,
} from "./request.js";
import { type BodyLimits, BodyWatch } from "./request-body.js";
import { Router } from "./router.js";

/** Libprocess has no bound; this is far above any real head and small enough to hold for every connection. */
const MAX_HEAD_BYTES = 64 * 1024;
const BACKLOG = 4096;
/** While stopping: how often to look for connections whose requests have been answered. */
const IDLE_CHECK_MS = 20;

export interface HttpServerSettings extends AddressSettings {
  readonly port: number;
  /** `master` or `slave(1)`: may come first in every path. */
  readonly processId: string;
  readonly maxBodyBytes: number;
  /** Of all bodies together that are coming in. */
  readonly maxReceivingBytes: number;
  /** Of all answers together that clients have yet to read. */
  readonly maxUnreadBytes: number;
  readonly maxConnections: number;
  /** How long a request may take to arrive, and a body may stand still; milliseconds. */
  readonly receiveTimeout: number;
  /** How long a connection may be idle between requests; milliseconds. */
  readonly keepAliveTimeout: number;
  /** How long `stop` waits for requests that are being answered; milliseconds. */
  readonly stopGrace: number;
}

export interface HttpServerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One listening port for plain HTTP and for whoever else can tell its connections by their first bytes. */
export class OnePortServer implements HttpServer {
  private readonly router: Router;
  private readonly takers: ConnectionTaker[] = [];
  private readonly requestTakers: RequestTaker[] = [];
  private readonly bodyLimits: BodyLimits;
  private readonly pipeline = new PipelineLimit();
  private readonly date: HttpDate;
  private readonly answering: ReplyTools & { readonly answers: AnswerBudget };
  private readonly gate: ConnectionGate;
  private readonly http: Server;
  private readonly listener: NetServer;
  private readonly posting = new Set<PostConnection>();
  private readonly postOptions: PostConnectionOptions;
  private answered: PostConnection[] = [];
  private sweeper: Timer | undefined;
  private known: Address | undefined;

  constructor(
    private readonly settings: HttpServerSettings,
    private readonly deps: HttpServerDeps,
  ) {
    this.router = new Router(settings.processId);
    this.date = new HttpDate(deps.clock);
    this.answering = {
      date: this.date,
      compressor: new Compressor(),
      answers: new AnswerBudget(settings.maxUnreadBytes, deps.logger),
    };
    this.http = this.createHttp();
    this.bodyLimits = {
      maxBodyBytes: settings.maxBodyBytes,
      watch: new BodyWatch(),
      budget: new BodyBudget(Math.max(settings.maxReceivingBytes, settings.maxBodyBytes), deps.logger),
    };
    this.postOptions = this.createPostOptions();
    this.gate = new ConnectionGate({
      takers: this.takers,
      plain: (socket) => void this.posting.add(new PostConnection(socket, this.postOptions)),
      maxConnections: settings.maxConnections,
      makeRoom: (most) => this.makeRoom(most),
      maxHeadBytes: MAX_HEAD_BYTES,
      logger: deps.logger,
    });
    // Half-open, because an HTTP client may close its side after its request and still wait for the answer.
    this.listener = createServer({ allowHalfOpen: true, noDelay: true });
    this.listener.on("connection", (socket) => this.gate.admit(socket));
  }

  get address(): Address {
    if (this.known === undefined) throw new Error("the server has no address before it has started");
    return this.known;
  }

  route(route: HttpRoute): void {
    this.router.add(route);
  }

  take(taker: ConnectionTaker): void {
    this.takers.push(taker);
  }

  intercept(taker: RequestTaker): void {
    this.requestTakers.push(taker);
  }

  /** @throws TepuiError TEPUI_LISTEN_FAILED, TEPUI_ADDRESS_UNKNOWN */
  async start(): Promise<void> {
    const { settings, deps } = this;
    const ip = await bindAddress(settings);
    await listen(this.listener, { ip, port: settings.port, backlog: BACKLOG }, deps.logger);
    const { port } = this.listener.address() as AddressInfo;
    this.known = await advertisedAddress(settings, { ip, port }, deps.logger);
    // Starts the checks of node:http for slow heads, which otherwise begin when it listens by itself.
    this.http.emit("listening");
    const period = settings.receiveTimeout / 2;
    this.sweeper = deps.clock.setInterval(() => this.sweep(), period);
    deps.logger.info({ ip, port, advertised: this.known }, `Listening on ${ip}:${port}`);
  }

  /** Takes nothing new, lets requests in progress end for a while, then closes every connection. */
  async stop(): Promise<void> {
    this.sweeper?.cancel();
    const drained = new Promise<void>((resolve) => this.listener.close(() => resolve()));
    this.http.close();
    this.gate.closeUndecided();
    const { clock } = this.deps;
    const idle = clock.setInterval(() => this.closeIdleConnections(), IDLE_CHECK_MS);
    const grace = clock.setTimeout(() => this.gate.closeAll(), this.settings.stopGrace);
    await drained;
    idle.cancel();
    grace.cancel();
  }

  /** Ends connections that have nothing to be answered, the oldest first. */
  private makeRoom(most: number): void {
    let ended = 0;
    for (const connection of this.posting) {
      if (ended >= most) break;
      if (connection.makeRoom()) ended++;
    }
    if (ended === 0) this.http.closeIdleConnections();
  }

  private closeIdleConnections(): void {
    this.http.closeIdleConnections();
    for (const connection of this.posting) connection.closeIfIdle();
  }

  private createPostOptions(): PostConnectionOptions {
    return {
      heads: new PostHeads({
        router: this.router,
        maxBodyBytes: this.settings.maxBodyBytes,
        isTaken: (request) => this.requestTakers.some((taker) => taker.matches(request)),
      }),
      answerHeads: new AnswerHeads(this.date),
      budget: new TurnBudget(this.deps.clock),
      bodies: this.bodyLimits.budget,
      answers: this.answering.answers,
      serve: ({ route, routed }, source, outgoing) => {
        this.run(route, ...this.exchange(source, routed, outgoing));
      },
      ready: (connection) => this.schedule(connection),
      giveBack: (socket, rest) => this.giveToHttp(socket, rest),
      closed: (connection) => void this.posting.delete(connection),
    };
  }

  /** What one turn of the event loop answers on a connection leaves in one write. */
  private schedule(connection: PostConnection): void {
    if (connection.dirty) return;
    connection.dirty = true;
    if (this.answered.length === 0) setImmediate(this.flush);
    this.answered.push(connection);
  }

  private readonly flush = (): void => {
    const { answered } = this;
    this.answered = [];
    for (const connection of answered) connection.flush();
  };

  private giveToHttp(socket: Socket, rest: Buffer): void {
    if (socket.destroyed) return;
    if (rest.length > 0) socket.unshift(rest);
    this.http.emit("connection", socket);
    socket.resume();
  }

  private createHttp(): Server {
    const { receiveTimeout, keepAliveTimeout } = this.settings;
    const refusing = { date: this.date, strangers: new OncePerPeer(), logger: this.deps.logger };
    const http = createHttpServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: receiveTimeout,
      // A request may stream for as long as it likes; bodies that stand still are found by the sweep.
      requestTimeout: 0,
      keepAliveTimeout,
      connectionsCheckingInterval: receiveTimeout / 2,
      requireHostHeader: false,
    });
    http.on("request", (message, response) => this.serve(message, response));
    http.on("clientError", (error: NodeJS.ErrnoException, socket) =>
      refuse(error, socket as Socket, refusing),
    );
    return http;
  }

  private sweep(): void {
    const { keepAliveTimeout, receiveTimeout } = this.settings;
    const idleSweeps = Math.ceil(keepAliveTimeout / (receiveTimeout / 2));
    this.gate.sweep();
    this.bodyLimits.watch.sweep();
    for (const connection of this.posting) connection.sweep(idleSweeps);
  }

  private serve(message: IncomingMessage, response: ServerResponse): void {
    this.pipeline.enter(message.socket, response);
    const url = splitTarget(message.url ?? "");
    const found = url === undefined ? undefined : this.router.find(url.path);
    const source = new NodeRequest(message, this.bodyLimits);
    const routed = {
      path: found?.path ?? url?.path ?? "",
      rest: found?.rest ?? "",
      queryText: url?.query ?? "",
    };
    const [request, reply] = this.exchange(source, routed, new NodeOutgoing(response, this.answering));
    const taker = this.requestTakers.find((candidate) => candidate.matches(request));
    const methods = found?.route.methods;
    if (url === undefined) reply.text(400, "Request URL path must start with '/'");
    else if (taker !== undefined) this.run(taker, request, reply);
    else if (found === undefined) reply.notFound();
    else if (methods !== undefined && !allows(methods, request.method)) {
      methodNotAllowed(request, reply, methods);
    } else this.run(found.route, request, reply);
  }

  private exchange(
    source: RequestSource,
    routed: RequestTarget,
    outgoing: Outgoing,
  ): [ServerRequest, ServerReply] {
    const request = new ServerRequest(source, routed);
    return [request, new ServerReply(request, outgoing, this.answering)];
  }

  private run(handler: Pick<HttpRoute, "handle">, request: ServerRequest, reply: ServerReply): void {
    try {
      const done = handler.handle(request, reply);
      if (done !== undefined) done.catch((error: unknown) => this.fail(error, request, reply));
    } catch (error) {
      this.fail(error, request, reply);
    }
  }

  private fail(error: unknown, request: ServerRequest, reply: ServerReply): void {
    if (reply.outgoing.streaming) {
      this.deps.logger.error({ err: error, path: request.path }, "A streamed answer failed");
      reply.outgoing.abort();
      return;
    }
    if (!isTepuiError(error)) {
      this.deps.logger.error({ err: error, path: request.path }, "A request failed");
      reply.text(500, messageOf(error));
      return;
    }
    // The rest of a body that is not wanted is not read: the connection ends with the answer.
    const headers = error.code === "TEPUI_BODY_TOO_LARGE" ? { Connection: "close" } : {};
    reply.text(error.http, error.detail ?? error.message, headers);
  }
}

const allows = (methods: readonly string[], method: string): boolean =>
  methods.includes(method) || (method === "HEAD" && methods.includes("GET"));
