import { expect } from "chai";
import { OperatorEndpoint } from "../../../plugins/operator-http/operator-endpoint.js";
import { OperatorStreams } from "../../../plugins/operator-http/operator-streams.js";
import { Event as EventCodec } from "../../../proto/gen/json/mesos/v1/master/master.js";
import { type Event, Event_Type } from "../../../proto/gen/mesos/v1/master/master.js";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Files } from "../../../sdk/contracts/files.js";
import { TimedVerbosity } from "../../../sdk/contracts/log-verbosity.js";
import { SharedReads } from "../../../sdk/http/index.js";
import { RecordDecoder } from "../../../sdk/recordio/index.js";
import { TestAgent } from "../../core/master/harness/agent.js";
import { MasterHarness } from "../../core/master/harness/master-harness.js";
import { eventually } from "../../support/eventually.js";
import { type Rig, startServer } from "../http-server/support.js";

/** Follows the events of a master until it leaves. */
class Follower {
  readonly events: Event[] = [];
  over = false;

  constructor(
    readonly type: string | null,
    private readonly leaving: AbortController,
    body: AsyncIterable<Uint8Array>,
  ) {
    void this.read(body);
  }

  private async read(body: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new RecordDecoder(1 << 24);
    const json = this.type === "application/json";
    try {
      for await (const chunk of body)
        for (const record of decoder.push(Buffer.from(chunk)))
          this.events.push(
            json ? EventCodec.json.read(Buffer.from(record).toString()) : EventCodec.decode(record),
          );
    } catch {
      // It was cut off, or left.
    }
    this.over = true;
  }

  /** Their types, without heartbeats. */
  get told(): string[] {
    const types = this.events.map(({ type }) => Event_Type[type ?? Event_Type.UNKNOWN]);
    return types.filter((type) => type !== "HEARTBEAT");
  }

  last(type: Event_Type): Event {
    return this.events.findLast((event) => event.type === type)!;
  }

  has(...types: string[]): Promise<true> {
    return eventually(() => (types.every((type) => this.told.includes(type)) ? true : undefined));
  }

  leave(): void {
    this.leaving.abort();
  }
}

describe("the operator API's stream of events", () => {
  let harness: MasterHarness;
  let streams: OperatorStreams;
  let rig: Rig;

  const begin = async (limits: { subscribers?: number; buffer?: number } = {}): Promise<void> => {
    harness = await new MasterHarness().start();
    const { master, clock, logger, metrics } = harness;
    const { view } = master;
    const shared = new SharedReads(clock);
    streams = new OperatorStreams({
      view,
      shared,
      clock,
      logger,
      maxSubscribers: limits.subscribers ?? 1000,
      maxSubscriberBuffer: limits.buffer ?? 1 << 20,
      gauge: metrics.counter("master/operator_event_stream_subscribers"),
    });
    const endpoint = new OperatorEndpoint({
      service: master,
      view,
      metrics,
      streams,
      shared,
      files: {} as Files,
      verbosity: new TimedVerbosity(clock),
      build: { version: "1.12.0", buildTime: 1 },
    });
    rig = await startServer((server) => server.route(endpoint));
  };

  afterEach(async () => {
    streams.stop();
    await rig.server.stop();
    await harness.master.stop();
  });

  const follow = async (accept = "application/json"): Promise<Follower> => {
    const leaving = new AbortController();
    const answer = await fetch(`${rig.base}/api/v1`, {
      method: "POST",
      body: '{"type":"SUBSCRIBE"}',
      headers: { "content-type": "application/json", accept },
      signal: leaving.signal,
    });
    expect(answer.status).to.equal(200);
    return new Follower(answer.headers.get("content-type"), leaving, answer.body!);
  };

  const agent = async (name = "a"): Promise<TestAgent> => {
    const { transport } = harness;
    const pid = `slave(1)@10.0.0.${name.charCodeAt(0)}:5051`;
    const one = new TestAgent({ name, pid, resources: "cpus:4;mem:4096" }, transport);
    transport.sent = (_, message) => one.take(message);
    one.register();
    await harness.settle();
    return one;
  };

  const framework = (more: object = {}) =>
    harness.subscribe(
      JSON.stringify({ type: "SUBSCRIBE", subscribe: { framework_info: { user: "u", name: "n", ...more } } }),
    );

  const subscribers = (): number | undefined =>
    harness.metrics.snapshot().get("master/operator_event_stream_subscribers");

  for (const format of ["application/json", "application/x-protobuf"]) {
    it(`begins with the state and a heartbeat, and goes on with what changes, in ${format}`, async () => {
      await begin();
      const one = await agent();
      const follower = await follow(format);
      await follower.has("SUBSCRIBED");
      expect(follower.type).to.equal(format);
      const { subscribed } = follower.events[0]!;
      expect(subscribed?.heartbeat_interval_seconds).to.equal(15);
      expect(subscribed?.get_state?.get_agents?.agents.map(({ pid }) => pid)).to.deep.equal([one.pid]);
      await eventually(() => (follower.events.length === 2 ? true : undefined));
      expect(follower.events[1]).to.include({ type: Event_Type.HEARTBEAT });

      const stream = framework();
      await follower.has("FRAMEWORK_ADDED");
      const added = follower.last(Event_Type.FRAMEWORK_ADDED).framework_added!.framework!;
      expect(added).to.deep.include({ active: true, connected: true, recovered: false });
      expect(added.framework_info?.name).to.equal("n");
      expect(added.unregistered_time).to.deep.equal({ nanoseconds: 0n });

      const id = added.framework_info!.id!;
      stream.session!.disconnected();
      await harness.clock.advance(0);
      await follower.has("FRAMEWORK_REMOVED");
      expect(follower.last(Event_Type.FRAMEWORK_REMOVED).framework_removed?.framework_info?.id).to.deep.equal(
        id,
      );
      follower.leave();
      await eventually(() => (subscribers() === 0 ? true : undefined));
    });
  }

  it("follows a task from its launch to its end, once for each state, and agents that come and go", async () => {
    await begin();
    const follower = await follow();
    const one = await agent();
    const stream = framework({ failover_timeout: 100 });
    await follower.has("AGENT_ADDED", "FRAMEWORK_ADDED");
    expect(follower.last(Event_Type.AGENT_ADDED).agent_added?.agent?.pid).to.equal(one.pid);
    const [known] = harness.master.view.frameworks();
    harness.allocator.offer({ frameworkId: known!.id, role: "*", agentId: one.id });
    await harness.settle();
    const offer = stream.events.flatMap((event) => event.offers?.offers ?? []).at(-1)!;
    const resources = offer.resources.map(({ allocation_info: _, ...rest }) => rest);
    const text = (value: unknown): string =>
      JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? Number(part) : part));
    await harness.call(
      text({
        type: "ACCEPT",
        framework_id: { value: known!.id },
        accept: {
          offer_ids: [offer.id],
          operations: [
            {
              type: "LAUNCH",
              launch: {
                task_infos: [
                  {
                    name: "t",
                    task_id: { value: "t1" },
                    agent_id: { value: one.id },
                    command: { value: "true" },
                    resources: resources.map((resource) => ({ ...resource, type: "SCALAR" })),
                  },
                ],
              },
            },
          ],
        },
      }),
      stream.streamId,
    );
    await harness.settle();
    await follower.has("TASK_ADDED");
    expect(follower.last(Event_Type.TASK_ADDED).task_added?.task?.task_id?.value).to.equal("t1");
    one.update("t1", TaskState.TASK_RUNNING);
    one.update("t1", TaskState.TASK_RUNNING);
    one.update("t1", TaskState.TASK_FINISHED);
    await harness.settle();
    const updates = () => follower.events.filter(({ type }) => type === Event_Type.TASK_UPDATED);
    await eventually(() =>
      updates().some(({ task_updated }) => task_updated?.state === TaskState.TASK_FINISHED)
        ? true
        : undefined,
    );
    expect(updates().map(({ task_updated }) => TaskState[task_updated!.state!])).to.deep.equal([
      "TASK_RUNNING",
      "TASK_FINISHED",
    ]);
    expect(updates()[0]!.task_updated?.status?.task_id?.value).to.equal("t1");
    await harness.master.markAgentGone(one.id);
    await follower.has("AGENT_REMOVED");
    expect(follower.last(Event_Type.AGENT_REMOVED).agent_removed?.agent_id?.value).to.equal(one.id);
    follower.leave();
  });

  it("sends a heartbeat every 15 seconds", async () => {
    await begin();
    const follower = await follow();
    await eventually(() => (follower.events.length === 2 ? true : undefined));
    await harness.clock.advance(14_999);
    await harness.clock.advance(1);
    await harness.clock.advance(15_000);
    await eventually(() => (follower.events.length === 4 ? true : undefined));
    expect(follower.told).to.deep.equal(["SUBSCRIBED"]);
    follower.leave();
  });

  it("ends the oldest stream where there would be too many", async () => {
    await begin({ subscribers: 2 });
    const first = await follow();
    const second = await follow();
    expect(subscribers()).to.equal(2);
    const third = await follow();
    await eventually(() => (first.over ? true : undefined));
    framework();
    await second.has("FRAMEWORK_ADDED");
    await third.has("FRAMEWORK_ADDED");
    expect(first.told).to.deep.equal(["SUBSCRIBED"]);
    await eventually(() => expect(subscribers()).to.equal(2));
  });

  it("cuts off who does not read, and nobody else", async () => {
    await begin({ buffer: 64 * 1024 });
    const follower = await follow();
    await follower.has("SUBSCRIBED");
    // More than fits into the buffer before anything can be written.
    for (let i = 0; i < 60; i++) framework({ name: "x".repeat(2048) });
    await eventually(() => (follower.over ? true : undefined));
    await eventually(() => expect(subscribers()).to.equal(0));
    expect(harness.logger.messages("warn")).to.deep.equal([
      "Cut off a subscriber of the operator API that does not read its events",
    ]);
  });

  it("ends every stream when the master stops leading", async () => {
    await begin();
    const follower = await follow();
    await follower.has("SUBSCRIBED");
    await harness.master.stop();
    await eventually(() => (follower.over ? true : undefined));
    expect(follower.told).to.deep.equal(["SUBSCRIBED"]);
  });
});
