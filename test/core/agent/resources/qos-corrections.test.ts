import { expect } from "chai";
import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkInfo,
  TaskStatus_Reason as Reason,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import type { QoSCorrection } from "../../../../sdk/contracts/qos-controller.js";
import { AgentBench, FRAMEWORK_ID, line } from "../support/agent-bench.js";

const kill = (executorId: string, more: Partial<QoSCorrection> = {}): QoSCorrection => ({
  kind: "kill",
  frameworkId: FRAMEWORK_ID,
  executorId,
  ...more,
});

const preempted = (bench: AgentBench): number | undefined =>
  bench.metrics.snapshot().get("slave/executors_preempted");

async function running(info: Partial<FrameworkInfo> = {}): Promise<AgentBench> {
  const bench = await AgentBench.registered();
  bench.run(bench.task("guest"), bench.framework(info));
  await bench.drain("guest");
  return bench;
}

describe("QoS corrections", () => {
  it("end a command task as lost, and say why", async () => {
    const bench = await running();
    bench.qosController.say(kill("guest"));
    const statuses = await bench.drain("guest");
    expect(bench.containerizer.of("guest").destroyed).to.equal(true);
    expect(statuses.map(line)).to.deep.equal([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_LOST REASON_CONTAINER_PREEMPTED: Container preempted by QoS correction",
    ]);
    expect(statuses.at(-1)!.reason).to.equal(Reason.REASON_CONTAINER_PREEMPTED);
    expect(preempted(bench)).to.equal(1);
    await bench.agent.stop();
  });

  it("end it as gone for frameworks that know partitions", async () => {
    const bench = await running({ capabilities: [{ type: Capability.PARTITION_AWARE }] });
    bench.qosController.say(
      kill("guest", { containerId: bench.containerizer.of("guest").request.containerId.value }),
    );
    expect((await bench.drain("guest")).map(line).at(-1)).to.match(/^TASK_GONE/);
    await bench.agent.stop();
  });

  it("end all tasks of an executor with it, also of one that has not subscribed", async () => {
    const bench = await AgentBench.registered();
    for (const executor of ["e1", "e2"])
      bench.run(bench.task(`${executor}-t`, { executor: bench.custom(executor) }), bench.framework(), true);
    await bench.settle();
    bench.subscribe("e1");
    await bench.settle();
    bench.qosController.say(kill("e1"), kill("e2"));
    for (const executor of ["e1", "e2"])
      expect((await bench.drain(`${executor}-t`)).map(line)).to.deep.equal([
        "TASK_LOST REASON_CONTAINER_PREEMPTED: Container preempted by QoS correction",
      ]);
    expect(preempted(bench)).to.equal(2);
    await bench.agent.stop();
  });

  it("end an executor whose container is still being made", async () => {
    const bench = await AgentBench.registered();
    let made!: (taken: boolean) => void;
    bench.containerizer.beforeLaunch = () =>
      new Promise((resolve) => {
        made = resolve;
      });
    bench.run(bench.task("guest"));
    await bench.settle();
    bench.qosController.say(kill("guest"));
    await bench.settle();
    made(true);
    expect((await bench.drain("guest")).map(line).at(-1)).to.match(/^TASK_LOST REASON_CONTAINER_PREEMPTED/);
    expect(bench.containerizer.of("guest").destroyed).to.equal(true);
    await bench.agent.stop();
  });

  it("are ignored where they fit nothing", async () => {
    const bench = await running();
    bench.qosController.say(
      kill("guest", { frameworkId: "other" }),
      kill("other"),
      kill("guest", { containerId: "an-earlier-one" }),
    );
    await bench.settle();
    expect(bench.containerizer.of("guest").destroyed).to.equal(false);
    expect(preempted(bench)).to.equal(0);
    await bench.agent.stop();
  });

  it("count once, however often they come", async () => {
    const bench = await running();
    bench.qosController.say(kill("guest"), kill("guest"));
    await bench.clock.advance(100);
    bench.qosController.say(kill("guest"));
    await bench.settle();
    expect(preempted(bench)).to.equal(1);
    await bench.agent.stop();
  });

  it("are asked for again after the least interval, and after a failure", async () => {
    const bench = await AgentBench.registered({ qosCorrectionInterval: 5000 });
    await bench.clock.advance(60_000);
    expect(bench.qosController.asked, "it has not answered").to.equal(1);
    bench.qosController.fail(new Error("no idea"));
    await bench.clock.advance(4999);
    expect(bench.qosController.asked).to.equal(1);
    await bench.clock.advance(1);
    expect(bench.qosController.asked).to.equal(2);
    bench.qosController.say();
    await bench.clock.advance(5000);
    expect(bench.qosController.asked).to.equal(3);
    expect(bench.logger.lines.filter(({ level }) => level === "warn")).to.have.length(1);
    await bench.agent.stop();
  });

  it("are not asked for over and over, whatever the interval", async () => {
    const bench = await AgentBench.registered({ qosCorrectionInterval: 0 });
    for (let round = 0; round < 3; round++) {
      bench.qosController.say();
      await bench.clock.advance(99);
      expect(bench.qosController.asked).to.equal(round + 1);
      await bench.clock.advance(1);
      expect(bench.qosController.asked).to.equal(round + 2);
    }
    await bench.agent.stop();
    bench.qosController.say();
    await bench.clock.advance(1000);
    expect(bench.qosController.asked).to.equal(4);
  });
});
