import { Call, Call_Type, Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { PartialMessage } from "../../../sdk/client/partial.js";
import type {
  SchedulerStream,
  SchedulerTransport,
  SubscribeRequest,
} from "../../../sdk/scheduler/transport.js";
import { EventQueue } from "../client/event-queue.js";

/** One subscription that a test plays the master of. */
export class FakeStream implements SchedulerStream {
  readonly calls: Call[] = [];
  /** Set by a test to refuse the calls that follow. */
  refusal: Error | undefined;
  private readonly queue = new EventQueue<Event>();

  constructor(readonly request: SubscribeRequest) {
    request.signal.addEventListener("abort", () => this.break(new Error("aborted")));
  }

  get events(): AsyncIterable<Event> {
    return this.queue.read();
  }

  async send(call: Call): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.calls.push(call);
  }

  async close(): Promise<void> {
    this.end();
  }

  emit(event: PartialMessage<Event>): void {
    this.queue.put(Event.fromPartial(event as Event));
  }

  subscribed(frameworkId = "fw-1", heartbeatSeconds = 15): void {
    this.emit({
      type: Event_Type.SUBSCRIBED,
      subscribed: { framework_id: { value: frameworkId }, heartbeat_interval_seconds: heartbeatSeconds },
    });
  }

  end(): void {
    this.queue.put("end");
  }

  break(error: Error): void {
    this.queue.put(error);
  }

  types(): string[] {
    return this.calls.map((call) => Call_Type[call.type!]!);
  }
}

/** Hands every subscription to the test, which answers with a stream or a refusal. */
export class FakeTransport implements SchedulerTransport {
  readonly defaultPort = 5050;
  readonly streams: FakeStream[] = [];
  readonly asked: string[] = [];
  /** What the masters answer, by `host:port`; a master that is not named accepts. */
  readonly answers = new Map<string, Error>();

  async subscribe(request: SubscribeRequest): Promise<SchedulerStream> {
    const where = `${request.master.host}:${request.master.port}`;
    this.asked.push(where);
    const refusal = this.answers.get(where);
    if (refusal !== undefined) throw refusal;
    const stream = new FakeStream({ ...request, call: Call.decode(Call.encode(request.call).finish()) });
    this.streams.push(stream);
    return stream;
  }

  get last(): FakeStream {
    return this.streams.at(-1)!;
  }
}
