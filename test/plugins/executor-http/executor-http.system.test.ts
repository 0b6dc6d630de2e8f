import { expect } from "chai";
import { ExecutorEndpoint } from "../../../plugins/executor-http/executor-endpoint.js";
import { type Call, Call_Type, Event, Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import type {
  ExecutorClaims,
  ExecutorConnection,
  ExecutorIdentity,
  ExecutorService,
  ExecutorSession,
} from "../../../sdk/contracts/executor-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { answerOf, captured } from "../http-server/captures.js";
import { type Rig, startServer } from "../http-server/support.js";

/** A service that notes what it is asked. */
class FakeService implements ExecutorService {
  recovered = true;
  identity: ExecutorIdentity = { claims: undefined };
  readonly authorizations: (string | undefined)[] = [];
  readonly claims: (ExecutorClaims | undefined)[] = [];
  readonly connections: ExecutorConnection[] = [];
  readonly calls: Call[] = [];
  gone = 0;

  identify(authorization: string | undefined): ExecutorIdentity {
    this.authorizations.push(authorization);
    return this.identity;
  }

  ready(): boolean {
    return this.recovered;
  }

  validate(call: Call): void {
    if (call.type === Call_Type.UPDATE && call.update === undefined) {
      throw new TepuiError("TEPUI_CALL_INVALID", {
        detail: "Failed to validate Executor::Call: Expecting 'update' to be present",
      });
    }
  }

  subscribe({ connection }: { call: Call; connection: ExecutorConnection }): ExecutorSession {
    this.connections.push(connection);
    return { disconnected: () => void this.gone++ };
  }

  call(call: Call, claims?: ExecutorClaims): void {
    this.claims.push(claims);
    this.calls.push(call);
    if (call.framework_id?.value === "none") {
      throw new TepuiError("TEPUI_CALL_INVALID", { detail: "Framework cannot be found" });
    }
  }
}

const IDS = '"framework_id":{"value":"f"},"executor_id":{"value":"e"}';
const SUBSCRIBE = `{"type":"SUBSCRIBE",${IDS},"subscribe":{}}`;
const MESSAGE = `{"type":"MESSAGE",${IDS},"message":{"data":"aGk="}}`;

describe("executor-http", () => {
  let rig: Rig;
  let service: FakeService;
  let endpoint: ExecutorEndpoint;

  beforeEach(async () => {
    service = new FakeService();
    rig = await startServer(
      (server) => {
        endpoint = new ExecutorEndpoint({
          service,
          logger: new MemoryLogger(),
          maxSubscriberBuffer: 1024 * 1024,
        });
        server.route(endpoint);
      },
      { processId: "slave(1)" },
    );
  });

  afterEach(async () => {
    endpoint.stop();
    await rig.server.stop();
  });

  const post = (body: string, path = "/api/v1/executor", accept = "application/json") =>
    fetch(rig.base + path, { method: "POST", body, headers: { "content-type": "application/json", accept } });

  it("asks first who sends a call, and refuses who does not show it", async () => {
    service.recovered = false;
    for (const [problem, challenge] of [
      ["", 'Bearer realm="mesos-agent-executor"'],
      [
        "Invalid JWT",
        'Bearer realm="mesos-agent-executor", error="invalid_token", error_description="Invalid JWT"',
      ],
    ] as const) {
      service.identity = { problem };
      const response = await post("no call");
      expect(response.status).to.equal(401);
      expect(response.headers.get("www-authenticate")).to.equal(challenge);
    }
    service.recovered = true;
    service.identity = { claims: { eid: "e" } };
    expect((await post(MESSAGE)).status).to.equal(202);
    expect(service.claims).to.deep.equal([{ eid: "e" }]);
    expect(service.authorizations).to.deep.equal([undefined, undefined, undefined]);
  });

  it("answers a call without ids as a real Mesos did, under each of its paths", async () => {
    const expected = captured("plugins/executor-http/fixtures/agent_exec_nosub.txt");
    for (const path of ["/api/v1/executor", "/slave(1)/api/v1/executor", "/slave%281%29/api/v1/executor"]) {
      expect(await answerOf(await post('{"type":"UPDATE"}', path))).to.deep.equal(expected);
    }
  });

  it("answers 503 while the agent recovers, before it looks at anything", async () => {
    service.recovered = false;
    const response = await fetch(`${rig.base}/api/v1/executor`);
    expect([response.status, await response.text()]).to.deep.equal([503, "Agent has not finished recovery"]);
  });

  it("refuses other methods, invalid calls and types that it cannot give", async () => {
    expect((await fetch(`${rig.base}/api/v1/executor`)).status).to.equal(405);
    const invalid = await post(`{"type":"UPDATE",${IDS}}`);
    expect([invalid.status, await invalid.text()]).to.deep.equal([
      400,
      "Failed to validate Executor::Call: Expecting 'update' to be present",
    ]);
    expect((await post(SUBSCRIBE, "/api/v1/executor", "text/html")).status).to.equal(406);
  });

  it("streams events until the executor is closed", async () => {
    const response = await post(SUBSCRIBE);
    expect(response.status).to.equal(200);
    expect(response.headers.get("mesos-stream-id")).to.equal(null);
    service.connections[0]!.send(Event.fromPartial({ type: Event_Type.SHUTDOWN }));
    service.connections[0]!.close();
    expect(await response.text()).to.equal('19\n{"type":"SHUTDOWN"}');
    while (service.gone === 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("hands over the other calls with 202, but keeps heartbeats to itself", async () => {
    expect((await post(MESSAGE)).status).to.equal(202);
    expect((await post(`{"type":"HEARTBEAT",${IDS}}`)).status).to.equal(202);
    expect(service.calls.map(({ type }) => type)).to.deep.equal([Call_Type.MESSAGE]);
    const unknown = await post(MESSAGE.replace('"value":"f"', '"value":"none"'));
    expect([unknown.status, await unknown.text()]).to.deep.equal([400, "Framework cannot be found"]);
  });
});
