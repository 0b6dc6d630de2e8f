import { expect } from "chai";
import { SchedulerEndpoint } from "../../../plugins/scheduler-http/scheduler-endpoint.js";
import { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type, Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type {
  Leadership,
  SchedulerRequest,
  SchedulerService,
  SchedulerSession,
  SchedulerSubscription,
} from "../../../sdk/contracts/scheduler-service.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { RecordDecoder } from "../../../sdk/recordio/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { answerOf, captured } from "../http-server/captures.js";
import { RawPeer, type Rig, startServer } from "../http-server/support.js";

const LEADER = MasterInfo.fromPartial({ id: "other", ip: 0, port: 5050, hostname: "leader.example" });

/** A service that notes what it is asked. */
class FakeService implements SchedulerService {
  state: Leadership = { role: "leading", leader: LEADER };
  readonly subscriptions: SchedulerSubscription[] = [];
  readonly calls: SchedulerRequest[] = [];
  readonly gone: string[] = [];
  onSubscribe: (subscription: SchedulerSubscription) => void = () => undefined;

  leadership(): Leadership {
    return this.state;
  }

  validate(call: Call): void {
    if (call.type !== Call_Type.SUBSCRIBE && call.framework_id === undefined) {
      throw new TepuiError("TEPUI_CALL_INVALID", {
        detail: "Failed to validate scheduler::Call: Expecting 'framework_id' to be present",
      });
    }
  }

  subscribe(subscription: SchedulerSubscription): SchedulerSession {
    this.subscriptions.push(subscription);
    this.onSubscribe(subscription);
    const { streamId } = subscription;
    return { streamId, disconnected: () => void this.gone.push(streamId) };
  }

  call(request: SchedulerRequest): void | Promise<void> {
    this.calls.push(request);
    if (request.streamId === "wrong")
      throw new TepuiError("TEPUI_CALL_FORBIDDEN", { detail: "Framework is not subscribed" });
    return request.call.type === Call_Type.UPDATE_FRAMEWORK ? Promise.resolve() : undefined;
  }
}

const SUBSCRIBE = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"n","user":"u"}}}';
const JSON_TYPE = { "content-type": "application/json" };
const heartbeat = Event.fromPartial({ type: Event_Type.HEARTBEAT });
const message = (size: number): Event =>
  Event.fromPartial({
    type: Event_Type.MESSAGE,
    message: { agent_id: { value: "a" }, executor_id: { value: "e" }, data: Buffer.alloc(size) },
  });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("scheduler-http", () => {
  let rig: Rig;
  let service: FakeService;
  let endpoint: SchedulerEndpoint;
  let logger: MemoryLogger;

  beforeEach(async () => {
    service = new FakeService();
    logger = new MemoryLogger();
    rig = await startServer((server) => {
      endpoint = new SchedulerEndpoint({
        service,
        random: new SystemRandom(),
        logger,
        maxSubscriberBuffer: 4 * 1024 * 1024,
      });
      server.route(endpoint);
    });
  });

  afterEach(async () => {
    endpoint.stop();
    await rig.server.stop();
  });

  const post = (
    body: string | Uint8Array,
    headers: Record<string, string> = JSON_TYPE,
    path = "/api/v1/scheduler",
  ) => fetch(rig.base + path, { method: "POST", body, headers, redirect: "manual" });

  describe("answers wrong requests as a real Mesos did", () => {
    const cases: [string, { body?: string; headers?: Record<string, string>; method?: string }][] = [
      ["sched_badct", { body: "{}", headers: { "content-type": "text/plain" } }],
      ["sched_badjson", { body: "x" }],
      ["sched_get", { method: "GET" }],
      ["sched_missingfid", { body: '{"type":"REVIVE"}' }],
      ["sched_sub_nouser", { body: '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"n"}}}' }],
      ["sched_sub_withstream", { body: SUBSCRIBE, headers: { ...JSON_TYPE, "mesos-stream-id": "x" } }],
      ["api_v1_badct", { body: "{}", headers: { "content-type": "text/plain" } }],
      ["api_v1_badjson", { body: "x" }],
      ["api_v1_empty", { body: "" }],
      ["api_v1_get", { method: "GET" }],
      ["api_v1_badaccept", { body: SUBSCRIBE, headers: { ...JSON_TYPE, accept: "text/html" } }],
    ];
    for (const [name, { body, headers = JSON_TYPE, method = "POST" }] of cases) {
      it(name, async () => {
        const init = method === "GET" ? { method } : { method, headers, body: body ?? "" };
        const response = await fetch(`${rig.base}/master/api/v1/scheduler`, init);
        expect(await answerOf(response)).to.deep.equal(
          captured(`plugins/scheduler-http/fixtures/${name}.txt`),
        );
      });
    }

    it("api_v1_noct", async () => {
      const peer = await RawPeer.open(rig.server.address.port);
      peer.write("POST /api/v1/scheduler HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
      const expected = captured("plugins/scheduler-http/fixtures/api_v1_noct.txt");
      const text = await peer.until((received) => received.endsWith(expected.body));
      expect(text).to.match(/^HTTP\/1.1 400 Bad Request\r\n/);
      peer.destroy();
    });
  });

  it("sends clients to the leader, or says that there is none", async () => {
    service.state = { role: "standby", leader: LEADER };
    const redirect = await post(SUBSCRIBE);
    expect([redirect.status, redirect.headers.get("location")]).to.deep.equal([
      307,
      "//leader.example:5050/master/api/v1/scheduler",
    ]);
    service.state = { role: "standby", leader: undefined };
    const none = await post(SUBSCRIBE);
    expect([none.status, await none.text()]).to.deep.equal([503, "No leader elected"]);
    service.state = { role: "recovering", leader: undefined };
    const recovering = await fetch(`${rig.base}/api/v1/scheduler`);
    expect([recovering.status, await recovering.text()]).to.deep.equal([
      503,
      "Master has not finished recovery",
    ]);
  });

  it("streams events in the accepted format, those sent while subscribing first", async () => {
    for (const [accept, decode] of [
      ["application/json", (record: Uint8Array) => JSON.parse(Buffer.from(record).toString())],
      [
        "application/x-protobuf",
        (record: Uint8Array) => ({ type: Event_Type[Event.decode(record).type ?? 0] }),
      ],
    ] as const) {
      service.onSubscribe = ({ connection }) => void connection.send(heartbeat);
      const response = await post(SUBSCRIBE, { ...JSON_TYPE, accept });
      expect(response.status).to.equal(200);
      expect(response.headers.get("content-type")).to.equal(accept);
      expect(response.headers.get("transfer-encoding")).to.equal("chunked");
      const subscription = service.subscriptions.at(-1)!;
      expect(response.headers.get("mesos-stream-id")).to.equal(subscription.streamId);
      const decoder = new RecordDecoder();
      const events: unknown[] = [];
      for (let i = 0; i < 100; i++) expect(subscription.connection.send(heartbeat)).to.equal(true);
      subscription.connection.close();
      expect(subscription.connection.send(heartbeat)).to.equal(false);
      for await (const chunk of response.body!) events.push(...decoder.push(chunk as Uint8Array).map(decode));
      expect(events).to.deep.equal(Array.from({ length: 101 }, () => ({ type: "HEARTBEAT" })));
      expect(decoder.atBoundary).to.equal(true);
      await until(() => service.gone.includes(subscription.streamId));
    }
  });

  it("hands over the other calls with their stream id: 202, and 200 for UPDATE_FRAMEWORK", async () => {
    const headers = { ...JSON_TYPE, "mesos-stream-id": "id-1" };
    const revive = await post('{"type":"REVIVE","framework_id":{"value":"f"}}', headers);
    expect([revive.status, await revive.text(), revive.headers.get("content-type")]).to.deep.equal([
      202,
      "",
      null,
    ]);
    const update =
      '{"type":"UPDATE_FRAMEWORK","framework_id":{"value":"f"},"update_framework":{"framework_info":{"name":"n","user":"u"}}}';
    expect((await post(update, headers)).status).to.equal(200);
    const binary = Call.encode(
      Call.fromPartial({ type: Call_Type.SUPPRESS, framework_id: { value: "f" } }),
    ).finish();
    expect((await post(binary, { "content-type": "application/x-protobuf" })).status).to.equal(202);
    expect(service.calls.map(({ call, streamId }) => [call.type, streamId])).to.deep.equal([
      [Call_Type.REVIVE, "id-1"],
      [Call_Type.UPDATE_FRAMEWORK, "id-1"],
      [Call_Type.SUPPRESS, undefined],
    ]);
    const refused = await post('{"type":"REVIVE","framework_id":{"value":"f"}}', {
      ...JSON_TYPE,
      "mesos-stream-id": "wrong",
    });
    expect([refused.status, await refused.text()]).to.deep.equal([403, "Framework is not subscribed"]);
  });

  it("answers with the error when a subscription is refused outright", async () => {
    service.onSubscribe = () => {
      throw new TepuiError("TEPUI_CALL_FORBIDDEN", { detail: "not you" });
    };
    const response = await post(SUBSCRIBE);
    expect([response.status, await response.text()]).to.deep.equal([403, "not you"]);
    expect(service.gone).to.deep.equal([]);
  });

  it("tells the service once when the scheduler goes away", async () => {
    const abort = new AbortController();
    const response = await fetch(`${rig.base}/api/v1/scheduler`, {
      method: "POST",
      body: SUBSCRIBE,
      headers: JSON_TYPE,
      signal: abort.signal,
    });
    expect(response.status).to.equal(200);
    abort.abort();
    await until(() => service.gone.length > 0);
    const { connection, streamId } = service.subscriptions[0]!;
    expect(connection.send(heartbeat)).to.equal(false);
    connection.close();
    expect(service.gone).to.deep.equal([streamId]);
  });

  it("cuts off a scheduler that does not read, at the bound of its buffer", async () => {
    const peer = await RawPeer.open(rig.server.address.port);
    peer.socket.pause();
    peer.write(
      `POST /api/v1/scheduler HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: ${SUBSCRIBE.length}\r\n\r\n${SUBSCRIBE}`,
    );
    await until(() => service.subscriptions.length === 1);
    const { connection } = service.subscriptions[0]!;
    const event = message(512 * 1024);
    let accepted = 0;
    while (connection.send(event)) {
      accepted++;
      expect(accepted).to.be.lessThan(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => service.gone.length === 1);
    expect(connection.send(heartbeat)).to.equal(false);
    const [cut] = logger.lines.filter(({ level }) => level === "warn");
    expect(cut?.fields.peer).to.equal(`127.0.0.1:${peer.socket.localPort}`);
    peer.destroy();
  });

  it("ends its streams when it stops", async () => {
    const response = await post(SUBSCRIBE);
    endpoint.stop();
    expect(await response.text()).to.equal("");
    await until(() => service.gone.length === 1);
  });
});
