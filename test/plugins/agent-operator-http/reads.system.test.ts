import { expect } from "chai";
import { EndpointBench } from "./support.js";

describe("agent operator API, reads", () => {
  let bench: EndpointBench;

  beforeEach(async () => {
    bench = await EndpointBench.open();
  });
  afterEach(() => bench.close());

  it("tells what the agent is, and while it drains, how", async () => {
    bench.view.info = { id: { value: "S1" }, hostname: "h", port: 5051, resources: [], attributes: [] };
    const agent = async () => JSON.parse((await bench.call({ type: "GET_AGENT" })).body);
    expect(await agent()).to.deep.equal({
      type: "GET_AGENT",
      get_agent: { agent_info: { id: { value: "S1" }, hostname: "h", port: 5051 } },
    });
    bench.view.drainConfig = { mark_gone: true, max_grace_period: { nanoseconds: 5n } };
    bench.view.estimatedDrainStartTime = 7.9;
    const { drain_config, estimated_drain_start_time } = (await agent()).get_agent;
    expect(drain_config).to.deep.equal({ max_grace_period: { nanoseconds: 5 }, mark_gone: true });
    expect(estimated_drain_start_time).to.deep.equal({ nanoseconds: 7_000_000_000 });
  });
});
