import { type Call, Event, Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import type { PartialMessage } from "../../../sdk/client/partial.js";
import type { ExecutorStream, ExecutorTransport } from "../../../sdk/executor/index.js";
import { EventQueue } from "../client/event-queue.js";

/** One subscription that a test plays the agent of. */
export class AgentStream implements ExecutorStream {
  readonly calls: Call[] = [];
  refusal: Error | undefined;
  private readonly queue = new EventQueue<Event>();

  constructor(
    readonly subscribe: Call,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => this.queue.put(new Error("aborted")));
  }

  readonly events = this.queue.read();

  async send(call: Call): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.calls.push(call);
  }

  async close(): Promise<void> {
    this.queue.put("end");
  }

  put(item: Event | Error | "end"): void {
    this.queue.put(item);
  }

  emit(event: PartialMessage<Event>): void {
    this.queue.put(Event.fromPartial(event as Event));
  }

  accept(): void {
    this.emit({
      type: Event_Type.SUBSCRIBED,
      subscribed: {
        executor_info: { executor_id: { value: "ex-1" } },
        framework_info: { name: "n", user: "u" },
        agent_info: { hostname: "h" },
      },
    });
  }

  acknowledge(call: Call): void {
    const { task_id, uuid } = call.update!.status!;
    this.emit({ type: Event_Type.ACKNOWLEDGED, acknowledged: { task_id: task_id!, uuid: uuid! } });
  }
}

/** Takes subscriptions as an agent does, or refuses them. */
export class FakeAgent implements ExecutorTransport {
  readonly streams: AgentStream[] = [];
  refusal: Error | undefined;
  asked = 0;

  async subscribe({ call, signal }: { call: Call; signal: AbortSignal }): Promise<ExecutorStream> {
    this.asked++;
    if (this.refusal !== undefined) throw this.refusal;
    const stream = new AgentStream(call, signal);
    this.streams.push(stream);
    return stream;
  }

  get last(): AgentStream {
    return this.streams.at(-1)!;
  }
}
