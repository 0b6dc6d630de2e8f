import { expect } from "chai";
import { Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { CallRefusedError, ForbiddenError, UnreachableError } from "../../../sdk/client/index.js";
import { SchedulerClient, type SchedulerClientOptions } from "../../../sdk/scheduler/index.js";
import { runScenario, SCENARIO_FRAMEWORK, schedulerScenarios } from "../../scenarios/scheduler-scenario.js";
import { FakeSchedulerService } from "./fake-service.js";
import { HttpEdge } from "./http-edge.js";

describe("SchedulerClient over HTTP", () => {
  let service: FakeSchedulerService;
  let edge: HttpEdge;
  let master: string;
  const clients: SchedulerClient[] = [];

  beforeEach(async () => {
    service = new FakeSchedulerService();
    edge = new HttpEdge(service);
    master = await edge.start();
  });

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await edge.stop();
  });

  const make = (options: Partial<SchedulerClientOptions> = {}): SchedulerClient => {
    const client = new SchedulerClient({ master, framework: SCENARIO_FRAMEWORK, ...options });
    clients.push(client);
    return client;
  };

  for (const contentType of ["json", "protobuf"] as const) {
    for (const scenario of schedulerScenarios()) {
      it(`plays the scenario '${scenario.name}' in ${contentType}`, async () => {
        await runScenario(make({ contentType }), scenario);
        expect(edge.requests[0]).to.include({
          "content-type": contentType === "json" ? "application/json" : "application/x-protobuf",
        });
      });
    }
  }

  it("sends credentials with every request", async () => {
    const client = make({ credential: { principal: "alice", secret: "s3" } });
    await client.start();
    await client.suppress();
    const expected = `Basic ${Buffer.from("alice:s3").toString("base64")}`;
    expect(edge.requests.map((headers) => headers.authorization)).to.deep.equal([expected, expected]);
    expect(service.calls[0]?.subscribe?.framework_info?.principal).to.equal("alice");
  });

  it("makes all calls on one connection that it keeps", async () => {
    const client = make();
    await client.start();
    for (let i = 0; i < 20; i++) await client.suppress([`r${i}`]);
    expect(service.calls.slice(1).map((call) => call.suppress?.roles[0])).to.deep.equal(
      Array.from({ length: 20 }, (_, i) => `r${i}`),
    );
  });

  it("keeps the order of calls that nobody waits for", async () => {
    const client = make();
    await client.start();
    await Promise.all(Array.from({ length: 50 }, (_, i) => client.suppress([`r${i}`])));
    expect(service.calls.slice(1).map((call) => call.suppress?.roles[0])).to.deep.equal(
      Array.from({ length: 50 }, (_, i) => `r${i}`),
    );
  });

  it("follows a redirect", async () => {
    const other = new FakeSchedulerService();
    const standby = new HttpEdge(other);
    const address = await standby.start();
    const [hostname, port] = master.split(":");
    other.standby({ hostname: hostname!, port: Number(port) });
    await make({ master: address }).start();
    expect(service.calls).to.have.length(1);
    expect(other.calls).to.have.length(0);
    await standby.stop();
  });

  it("finds the one that leads behind a dead and a leaderless master", async () => {
    const leaderless = new FakeSchedulerService();
    leaderless.standby(undefined);
    const second = new HttpEdge(leaderless);
    const gone = new HttpEdge(leaderless);
    const deadAddress = await gone.start();
    await gone.stop();
    await make({ master: [deadAddress, await second.start(), master] }).start();
    expect(service.calls).to.have.length(1);
    await second.stop();
  });

  it("subscribes again with its id when the master ends the stream", async () => {
    const client = make({ backoff: { initial: 1, max: 1 } });
    await client.start();
    const again = new Promise((resolve) => client.on("subscribed", resolve));
    service.disconnectAll();
    await again;
    expect(service.calls.at(-1)?.framework_id?.value).to.equal("fw-0");
  });

  it("tells refusals apart", async () => {
    const client = make();
    await client.start();
    const refused = await client
      .updateFramework({ framework: { name: "x", principal: "other" } })
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(CallRefusedError).with.property("detail").that.contains("principal");
    service.frameworks.get("fw-0")!.subscription = undefined;
    expect(await client.kill("t").catch((error: unknown) => error)).to.be.instanceOf(ForbiddenError);
  });

  it("names the address and the reason when nobody is there", async () => {
    const gone = new HttpEdge(service);
    const address = await gone.start();
    await gone.stop();
    const error = await make({ master: address, patience: { connect: 0 } })
      .start()
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(UnreachableError);
    expect((error as Error).message)
      .to.contain(address)
      .and.contain("connection refused");
  });

  it("takes events of several megabytes", async () => {
    const client = make();
    await client.start();
    const message = new Promise<Uint8Array>((resolve) => client.on("message", ({ data }) => resolve(data)));
    const data = Buffer.alloc(9 * 1024 * 1024, 7);
    service.send("fw-0", {
      type: Event_Type.MESSAGE,
      message: { agent_id: { value: "a" }, executor_id: { value: "e" }, data },
    });
    expect(Buffer.from(await message).equals(data)).to.equal(true);
  });
});
