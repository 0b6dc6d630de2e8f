import { expect } from "chai";
import type { Resource, ResourceUsage } from "../../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../../sdk/resources/index.js";
import { AgentBench, FRAMEWORK_ID, scalar } from "../support/agent-bench.js";

const INTERVAL = 15_000;
const revocable = (name: string, value: number, role?: string): Resource => ({
  ...scalar(name, value, role),
  revocable: {},
});
const lend = (...resources: Resource[]): Resources => Resources.of(resources);
const told = (bench: AgentBench): string[] =>
  bench.master
    .heard("UpdateSlaveMessage")
    .filter(({ update_oversubscribed_resources: update }) => update === true)
    .map((message) => String(Resources.of(message.oversubscribed_resources)));

describe("oversubscribed resources of an agent", () => {
  it("is told to the master when it changes, and only then", async () => {
    const bench = await AgentBench.registered();
    bench.estimator.answer = async () => lend(revocable("cpus", 2));
    await bench.clock.advance(INTERVAL);
    await bench.clock.advance(INTERVAL);
    bench.estimator.answer = async () => lend(revocable("cpus", 1));
    await bench.clock.advance(INTERVAL);
    bench.estimator.answer = async () => Resources.empty;
    await bench.clock.advance(INTERVAL);
    expect(bench.estimator.asked).to.equal(5);
    // The first of nothing takes back what an earlier run of the agent had told.
    expect(told(bench)).to.deep.equal(["{}", "cpus{REV}:2", "cpus{REV}:1", "{}"]);
    const [, message] = bench.master
      .heard("UpdateSlaveMessage")
      .filter(({ update_oversubscribed_resources: update }) => update === true);
    expect(message!.update_oversubscribed_resources).to.equal(true);
    expect(message!.resource_providers).to.equal(undefined);
    expect(message!.slave_id!.value).to.equal(bench.agent.state.id);
    await bench.agent.stop();
  });

  it("is told again to every master that takes the agent", async () => {
    const bench = await AgentBench.registered();
    bench.estimator.answer = async () => lend(revocable("cpus", 2));
    await bench.clock.advance(INTERVAL);
    bench.master.lead("master@10.0.0.9:5050");
    bench.estimator.answer = async () => lend(revocable("cpus", 3));
    await bench.clock.advance(INTERVAL);
    expect(told(bench), "nobody is there to be told").to.deep.equal(["{}", "cpus{REV}:2"]);
    bench.master.say(
      "SlaveReregisteredMessage",
      { slave_id: bench.agent.state.info.id, reconciliations: [] },
      "master@10.0.0.9:5050",
    );
    expect(told(bench)).to.deep.equal(["{}", "cpus{REV}:2", "cpus{REV}:3"]);
    expect(
      bench.master
        .heard("UpdateSlaveMessage", "master@10.0.0.9:5050")
        .filter(({ update_oversubscribed_resources: update }) => update === true),
    ).to.have.length(1);
    await bench.agent.stop();
  });

  it("has what tasks hold of it besides what the estimator names", async () => {
    const bench = await AgentBench.registered();
    bench.estimator.answer = async (measure) => {
      const { executors } = await measure();
      const lent = executors.map(({ allocated }) => Resources.of(allocated).revocable());
      return lend(revocable("cpus", 3)).subtract(Resources.sum(lent).unallocate());
    };
    bench.run(bench.task("guest", { resources: [revocable("cpus", 2, "web"), scalar("mem", 64, "web")] }));
    await bench.clock.advance(INTERVAL);
    await bench.drain("guest");
    expect(told(bench)).to.deep.equal(["{}", "cpus{REV}:3"]);
    bench.containerizer.of("guest").exit(0);
    await bench.drain("guest");
    await bench.clock.advance(INTERVAL);
    expect(told(bench)).to.deep.equal(["{}", "cpus{REV}:3"]);
    const metric = (name: string) => bench.metrics.snapshot().get(`slave/${name}`);
    expect([metric("cpus_revocable_total"), metric("cpus_revocable_used")]).to.deep.equal([3, 0]);
    await bench.agent.stop();
  });

  it("is measured with what each container has and uses", async () => {
    const bench = await AgentBench.registered();
    let usage: ResourceUsage | undefined;
    bench.estimator.answer = async (measure) => {
      usage = await measure();
      return Resources.empty;
    };
    const task = bench.task("t1", { executor: bench.custom("e1"), resources: [scalar("cpus", 1, "web")] });
    bench.run(task, bench.framework(), true);
    await bench.clock.advance(INTERVAL);
    bench.subscribe("e1");
    await bench.clock.advance(INTERVAL);
    expect(String(Resources.of(usage!.total))).to.equal("cpus:4; mem:4096");
    const [entry] = usage!.executors;
    expect(entry!.executor_info!.framework_id!.value).to.equal(FRAMEWORK_ID);
    expect(entry!.container_id).to.deep.equal(bench.containerizer.of("e1").request.containerId);
    expect(Resources.of(entry!.allocated).cpus).to.equal(1.1);
    expect(entry!.tasks.map(({ id }) => id!.value)).to.deep.equal(["t1"]);
    expect(entry!.statistics, "it cannot be measured").to.equal(undefined);
    await bench.agent.stop();
  });

  it("stays as it was when the estimator fails or makes no sense", async () => {
    const bench = await AgentBench.registered();
    bench.estimator.answer = async () => lend(revocable("cpus", 2));
    await bench.clock.advance(INTERVAL);
    bench.estimator.answer = () => Promise.reject(new Error("no idea"));
    await bench.clock.advance(INTERVAL);
    bench.estimator.answer = async () => lend(scalar("cpus", 2));
    await bench.clock.advance(INTERVAL);
    expect(told(bench)).to.deep.equal(["{}", "cpus{REV}:2"]);
    const errors = bench.logger.lines.filter(({ level }) => level === "error").map(({ message }) => message);
    expect(errors).to.deep.equal([
      "the resources that can be oversubscribed could not be estimated",
      "the estimate 'cpus:2' is not of revocable resources",
    ]);
    bench.estimator.answer = async () => lend(revocable("cpus", 1));
    await bench.clock.advance(INTERVAL);
    expect(told(bench).at(-1)).to.equal("cpus{REV}:1");
    await bench.agent.stop();
  });
});
