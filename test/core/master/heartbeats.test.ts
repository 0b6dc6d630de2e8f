import { expect } from "chai";
import { Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { MasterHarness } from "./harness/master-harness.js";

const SUBSCRIBE = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}';

describe("heartbeats", () => {
  it("follow the subscription at once and then every 15 seconds, until the stream ends", async () => {
    const harness = await new MasterHarness().start();
    const stream = harness.subscribe(SUBSCRIBE);
    const types = () => stream.events.map(({ type }) => Event_Type[type ?? 0]);
    expect(types()).to.deep.equal(["SUBSCRIBED", "HEARTBEAT"]);
    await harness.clock.advance(14_999);
    expect(types()).to.have.length(2);
    await harness.clock.advance(30_001);
    expect(types()).to.have.length(5);
    stream.session?.disconnected();
    await harness.clock.advance(60_000);
    expect(types()).to.have.length(5);
    expect(harness.metrics.snapshot().get("master/frameworks_connected")).to.equal(0);
  });

  it("leave no timer behind when the master stops", async () => {
    const harness = await new MasterHarness().start();
    harness.subscribe(SUBSCRIBE);
    await harness.master.stop();
    expect(harness.clock.pendingTimers).to.equal(0);
  });
});
