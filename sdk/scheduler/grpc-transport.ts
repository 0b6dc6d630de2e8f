import type { ChannelOptions, ClientDuplexStream, Metadata, ServiceError } from "@grpc/grpc-js";
import { type Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { SchedulerClient as Stub } from "../../proto/gen/tepui/v1/scheduler.js";
import { addressText } from "../client/address.js";
import {
  AuthenticationError,
  CallRefusedError,
  ForbiddenError,
  NotLeaderError,
  ProtocolError,
  UnavailableError,
  UnreachableError,
} from "../client/errors.js";
import type { TlsOptions } from "../client/http-api.js";
import type { SchedulerStream, SchedulerTransport, SubscribeRequest } from "./transport.js";

export interface GrpcTransportOptions {
  /** Value of the `authorization` metadata. */
  readonly authorization?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** Milliseconds until a silent master counts as unreachable. */
  readonly timeout: number;
}

/** Metadata of a refusal: the leader's gRPC address. */
const LEADER = "tepui-leader-grpc";

/** Milliseconds that a master gets to end a stream that this side has ended. */
const CLOSE_GRACE_MS = 1000;

const CHANNEL_OPTIONS: ChannelOptions = {
  // OFFERS for ten thousand agents are some 6 MB; the default of 4 MB is too small.
  "grpc.max_receive_message_length": 128 * 1024 * 1024,
  // A client of its own connection: one framework's stream must not share the fate of another's.
  "grpc.use_local_subchannel_pool": 1,
};

type Grpc = typeof import("@grpc/grpc-js");
type EventStream = ClientDuplexStream<Call, Event>;

/** `tepui.v1.Scheduler`: one bidirectional stream, and a unary request for each call whose refusal matters. */
export class GrpcSchedulerTransport implements SchedulerTransport {
  readonly defaultPort = 5055;

  constructor(private readonly options: GrpcTransportOptions) {}

  async subscribe({ master, call, signal }: SubscribeRequest): Promise<SchedulerStream> {
    const [grpc, { SchedulerClient }] = await Promise.all([
      import("@grpc/grpc-js"),
      import("../../proto/gen/tepui/v1/scheduler.js"),
    ]);
    const where = addressText(master);
    const { tls, timeout, authorization } = this.options;
    const credentials =
      master.protocol === "https:"
        ? grpc.credentials.createSsl(bytes(tls?.ca), bytes(tls?.key), bytes(tls?.cert), {
            rejectUnauthorized: tls?.rejectUnauthorized ?? true,
          })
        : grpc.credentials.createInsecure();
    const stub = new SchedulerClient(where, credentials, CHANNEL_OPTIONS);
    const metadata = new grpc.Metadata();
    if (authorization !== undefined) metadata.set("authorization", authorization);
    const failed = (error: ServiceError): Error => clientError(grpc, { error, where });
    try {
      await ready(stub, timeout, where);
      const stream = stub.subscribe(metadata);
      const abort = (): void => stream.cancel();
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) abort();
      stream.write(call);
      const initial = await accepted(stream, { timeout, where, failed });
      const streamId = initial.get("mesos-stream-id")[0];
      if (typeof streamId !== "string") {
        stream.cancel();
        throw new ProtocolError(`${where} gave no mesos-stream-id`);
      }
      metadata.set("mesos-stream-id", streamId);
      const over = new Promise<void>((resolve) => stream.once("status", () => resolve()));
      const events = received(stream, failed);
      return {
        events,
        send: (next) => send({ stub, stream, metadata, failed }, next),
        close: async () => {
          // A cancelled stream may lose what was written to it last, so it gets the time to end by itself.
          const timer = setTimeout(() => stream.cancel(), CLOSE_GRACE_MS);
          stream.end();
          stream.resume();
          await over;
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
          stub.close();
        },
      };
    } catch (error) {
      stub.close();
      throw error;
    }
  }
}

/**
 * Acknowledgements, the bulk of all calls, go over the stream, where they cost a fraction of a request; a refused call
 * there ends the stream, so every other call goes as a request of its own.
 */
function send(
  {
    stub,
    stream,
    metadata,
    failed,
  }: { stub: Stub; stream: EventStream; metadata: Metadata; failed: (error: ServiceError) => Error },
  call: Call,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (call.type === Call_Type.ACKNOWLEDGE) {
      stream.write(call, (error: Error | null | undefined) =>
        error ? reject(new UnreachableError(error.message)) : resolve(),
      );
      return;
    }
    stub.call(call, metadata, (error) => (error === null ? resolve() : reject(failed(error))));
  });
}

function ready(stub: Stub, timeout: number, where: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stub.waitForReady(Date.now() + timeout, (error) =>
      error === undefined || error === null
        ? resolve()
        : reject(
            new UnreachableError(`${where}: no gRPC connection within ${timeout} ms; is it the gRPC port?`),
          ),
    );
  });
}

/** Resolves with the initial metadata, which the master sends when it has taken the SUBSCRIBE. */
function accepted(
  stream: EventStream,
  { timeout, where, failed }: { timeout: number; where: string; failed: (error: ServiceError) => Error },
): Promise<Metadata> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new UnreachableError(`${where}: no answer in time`));
      stream.cancel();
    }, timeout);
    const settle = (): void => {
      clearTimeout(timer);
      stream.off("metadata", onMetadata);
      stream.off("error", onError);
    };
    const onMetadata = (metadata: Metadata): void => {
      settle();
      resolve(metadata);
    };
    const onError = (error: ServiceError): void => {
      settle();
      // A stream that is cancelled fails once more, later, with nobody left to listen.
      stream.on("error", () => undefined);
      reject(failed(error));
    };
    stream.on("metadata", onMetadata);
    stream.on("error", onError);
  });
}

function received(stream: EventStream, failed: (error: ServiceError) => Error): AsyncIterable<Event> {
  const iterator = (stream as AsyncIterable<Event>)[Symbol.asyncIterator]();
  // Also while nobody iterates, an error of the stream is one of this connection, not of the process.
  stream.on("error", () => undefined);
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const next = await iterator.next().catch((error: ServiceError) => {
            throw broken(failed(error));
          });
          if (next.done === true) return;
          yield next.value;
        }
      } finally {
        stream.cancel();
      }
    },
  };
}

/** Whatever ended a stream that stood, another one may well be had. */
function broken(error: Error): Error {
  return error instanceof NotLeaderError ? error : new UnreachableError(error.message, { cause: error });
}

/** gRPC's codes in the client's terms; the table of kinds in `sdk/errors` gives the other direction. */
function clientError(grpc: Grpc, { error, where }: { error: ServiceError; where: string }): Error {
  const { status } = grpc;
  const text = error.details || error.message;
  const leader = error.metadata?.get(LEADER)[0];
  if (leader !== undefined) return new NotLeaderError(String(leader));
  switch (error.code) {
    case status.CANCELLED:
      return new UnreachableError(`${where}: closed by this side`, { cause: error });
    case status.DEADLINE_EXCEEDED:
    case status.INTERNAL:
    case status.UNKNOWN:
      return new UnreachableError(`${where}: ${text}`, { cause: error });
    case status.UNAVAILABLE:
    case status.ABORTED:
      return new UnavailableError(`${where}: ${text}`);
    case status.UNAUTHENTICATED:
      return new AuthenticationError(text);
    case status.PERMISSION_DENIED:
      return new ForbiddenError(text);
    case status.UNIMPLEMENTED:
      return new CallRefusedError(text, 501);
    case status.RESOURCE_EXHAUSTED:
      return new CallRefusedError(text, 413);
    case status.NOT_FOUND:
      return new CallRefusedError(text, 404);
    case status.FAILED_PRECONDITION:
      return new CallRefusedError(text, 409);
    default:
      return new CallRefusedError(text, 400);
  }
}

function bytes(pem: string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}
