import { Metadata, type ServerDuplexStream, type ServiceError, status } from "@grpc/grpc-js";
import * as codecs from "../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import { type Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type {
  SchedulerConnection,
  SchedulerService,
  SchedulerSession,
} from "../../sdk/contracts/scheduler-service.js";
import { Outbox } from "./outbox.js";
import { statusError } from "./status.js";

export type CallStream = ServerDuplexStream<Buffer, Buffer>;

export interface SessionOptions {
  readonly service: SchedulerService;
  readonly streamId: string;
  /** Bytes of events that may wait for a subscriber that reads slowly. */
  readonly maxBufferedBytes: number;
  /** The refusal for the state that this master is in; undefined when it leads. */
  readonly refusal: () => ServiceError | undefined;
  readonly statusOf: (error: unknown) => ServiceError;
  /** The stream is over. */
  readonly ended: (session: GrpcSession) => void;
}

const calls = codecs.Call;
const events = codecs.Event;

/** One `Subscribe` stream: translates its bytes to and from the scheduler service. */
export class GrpcSession implements SchedulerConnection {
  private session: SchedulerSession | undefined;
  private readonly outbox: Outbox;
  /** Events that the service sends before it has returned the session: the metadata goes first. */
  private early: Event[] | undefined = [];
  private over = false;

  constructor(
    private readonly stream: CallStream,
    private readonly options: SessionOptions,
  ) {
    this.outbox = new Outbox(stream, options.maxBufferedBytes);
    stream.on("data", (bytes: Buffer) => this.received(bytes));
    // The client has nothing more to say: for a subscription that means that it leaves.
    stream.on("end", () => this.finish());
    stream.on("cancelled", () => this.finish());
    stream.on("close", () => this.finish());
  }

  send(event: Event): boolean {
    if (this.over) return false;
    if (this.early !== undefined) {
      this.early.push(event);
      return true;
    }
    if (this.outbox.put(buffer(events.encode(event)))) return true;
    this.fail(statusError(status.ABORTED, "the subscriber reads too slowly"));
    return false;
  }

  close(): void {
    if (this.over) return;
    if (this.early === undefined) this.outbox.whenEmpty(() => this.finish());
    else setImmediate(() => this.close());
  }

  /** Ends the stream with an error. */
  fail(error: ServiceError): void {
    if (this.over) return;
    this.outbox.drop();
    this.leave();
    this.stream.emit("error", error);
  }

  private finish(): void {
    if (this.over) return;
    this.outbox.drop();
    this.leave();
    this.stream.end();
  }

  private leave(): void {
    this.over = true;
    this.options.ended(this);
    this.session?.disconnected();
  }

  private received(bytes: Buffer): void {
    if (this.over) return;
    try {
      if (this.session === undefined) this.subscribe(bytes);
      else this.call(bytes, this.session);
    } catch (error) {
      this.fail(this.options.statusOf(error));
    }
  }

  private subscribe(bytes: Buffer): void {
    const { refusal, service, streamId } = this.options;
    const refused = refusal();
    if (refused !== undefined) {
      this.fail(refused);
      return;
    }
    const call = calls.decode(bytes);
    service.validate(call);
    if (call.type !== Call_Type.SUBSCRIBE) {
      this.fail(statusError(status.INVALID_ARGUMENT, "the first call of a stream must be SUBSCRIBE"));
      return;
    }
    this.session = service.subscribe({ call, principal: undefined, connection: this, streamId });
    const metadata = new Metadata();
    metadata.set("mesos-stream-id", this.session.streamId);
    this.stream.sendMetadata(metadata);
    const early = this.early ?? [];
    this.early = undefined;
    for (const event of early) this.send(event);
  }

  private call(bytes: Buffer, { streamId }: SchedulerSession): void {
    const call: Call = calls.decode(bytes);
    this.options.service.validate(call);
    if (call.type === Call_Type.SUBSCRIBE) {
      this.fail(statusError(status.INVALID_ARGUMENT, "this stream has subscribed already"));
      return;
    }
    this.options.service
      .call({ call, principal: undefined, streamId })
      ?.catch((error: unknown) => this.fail(this.options.statusOf(error)));
  }
}

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
