import { expect } from "chai";
import type { RunTaskGroupMessage } from "../../../../proto/gen/mesos/internal/messages.js";
import {
  type ExecutorInfo,
  ExecutorInfo_Type,
  type FrameworkInfo,
  type TaskInfo,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { containerName } from "../../../../sdk/ids/index.js";
import { AgentBench, line, scalar } from "../support/agent-bench.js";
import type { ScriptedContainer } from "../support/scripted-containerizer.js";

const EXECUTOR: ExecutorInfo = {
  executor_id: { value: "pod" },
  type: ExecutorInfo_Type.DEFAULT,
  resources: [scalar("cpus", 0.1, "*"), scalar("mem", 32, "*")],
};

function runGroup(
  bench: AgentBench,
  tasks: TaskInfo[],
  {
    framework = bench.framework(),
    more = {},
  }: { framework?: FrameworkInfo; more?: Partial<RunTaskGroupMessage> } = {},
): void {
  bench.master.say("RunTaskGroupMessage", {
    framework,
    executor: EXECUTOR,
    task_group: { tasks },
    resource_version_uuids: [],
    launch_executor: true,
    ...more,
  });
}

/** The container that runs the task, which is its own command's name. */
function containerOf(bench: AgentBench, task: string): ScriptedContainer {
  const found = bench.containerizer.launched.find(({ request }) => request.command.value === task);
  if (found === undefined) throw new Error(`nothing runs '${task}'`);
  return found;
}

const named = (bench: AgentBench, ...ids: string[]): TaskInfo[] =>
  ids.map((id) => bench.task(id, { command: bench.command(id) }));

describe("Pods on an agent", () => {
  it("run each task in a container within the pod's, which has the resources of all", async () => {
    const bench = await AgentBench.registered();
    runGroup(bench, named(bench, "a", "b"));
    expect((await bench.drain("a")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
    expect((await bench.drain("b")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
    const [pod, a, b] = bench.containerizer.launched;
    expect(pod!.request.containerId.parent).to.equal(undefined);
    expect(pod!.request.resources.cpus).to.equal(2.1);
    expect(a!.request.containerId.parent?.value).to.equal(pod!.request.containerId.value);
    expect(b!.request.directory).to.equal(
      `${pod!.request.directory}/containers/${b!.request.containerId.value}`,
    );
    expect(bench.disk.paths("symlink")).to.include(`${pod!.request.directory}/tasks/a`);
  });

  it("tell the container of the task in its statuses", async () => {
    const bench = await AgentBench.registered();
    runGroup(bench, named(bench, "a"));
    const [starting, running] = await bench.drain("a");
    const { containerId } = containerOf(bench, "a").request;
    expect(containerName(running!.container_status!.container_id!)).to.equal(containerName(containerId));
    expect(running!.container_status!.network_infos).to.have.length(1);
    // There is no container yet that could have an address.
    expect(starting!.container_status!.network_infos).to.deep.equal([]);
  });

  it("end with their last task, as an executor that exits with 0", async () => {
    const bench = await AgentBench.registered();
    runGroup(bench, named(bench, "a", "b"));
    await bench.drain("b");
    containerOf(bench, "a").exit(0);
    await bench.drain("a");
    expect(bench.master.heard("ExitedExecutorMessage")).to.have.length(0);
    containerOf(bench, "b").exit(0);
    expect((await bench.drain("b")).map(line).at(-1)).to.equal("TASK_FINISHED: Command exited with status 0");
    expect(bench.master.heard("ExitedExecutorMessage").map(({ status }) => status)).to.deep.equal([0]);
    expect(bench.containerizer.launched[0]!.destroyed).to.equal(true);
    expect(bench.agent.state.frameworks.size).to.equal(0);
  });

  it("take further groups while they run", async () => {
    const bench = await AgentBench.registered();
    runGroup(bench, named(bench, "a"));
    await bench.drain("a");
    runGroup(bench, named(bench, "b"), { more: { launch_executor: false } });
    expect((await bench.drain("b")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
    containerOf(bench, "a").exit(1);
    await bench.drain("a");
    await bench.clock.advance(5000);
    expect(containerOf(bench, "b").signals).to.deep.equal([]);
  });

  it("kill a whole group of which one task is killed before the pod runs", async () => {
    const bench = await AgentBench.registered();
    let go = (_: boolean): void => undefined;
    bench.containerizer.beforeLaunch = () => new Promise((resolve) => (go = resolve));
    runGroup(bench, named(bench, "a", "b"));
    await bench.settle();
    bench.kill("b");
    const killed = "TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH: Killed before delivery to the executor";
    expect((await bench.drain("a")).map(line)).to.deep.equal([killed]);
    expect((await bench.drain("b")).map(line)).to.deep.equal([killed]);
    go(true);
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
    expect(bench.containerizer.launched[0]!.destroyed).to.equal(true);
  });

  it("fail all tasks when the pod's own container cannot be launched", async () => {
    const bench = await AgentBench.registered();
    bench.containerizer.beforeLaunch = async () => {
      throw new Error("no room");
    };
    runGroup(bench, named(bench, "a", "b"));
    const failed = "TASK_FAILED REASON_CONTAINER_LAUNCH_FAILED: Failed to launch container: no room";
    expect((await bench.drain("a")).map(line)).to.deep.equal([failed]);
    expect((await bench.drain("b")).map(line)).to.deep.equal([failed]);
  });

  it("end with their framework", async () => {
    const bench = await AgentBench.registered();
    runGroup(bench, named(bench, "a"));
    await bench.drain("a");
    bench.master.say("ShutdownFrameworkMessage", { framework_id: bench.framework().id });
    await bench.settle();
    expect(containerOf(bench, "a").signals).to.deep.equal([15]);
    await bench.clock.advance(3000);
    expect(containerOf(bench, "a").signals).to.deep.equal([15, 9]);
    await bench.clock.advance(5000);
    expect(bench.containerizer.launched[0]!.destroyed).to.equal(true);
    expect(bench.agent.state.frameworks.size).to.equal(0);
  });

  it("deliver a group to an executor of the framework's own in one piece", async () => {
    const bench = await AgentBench.registered();
    const custom = { ...bench.custom("mine")!, type: ExecutorInfo_Type.CUSTOM };
    runGroup(bench, named(bench, "a", "b"), { more: { executor: custom } });
    await bench.settle();
    const executor = bench.subscribe("mine");
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH_GROUP"]);
    const group = executor.events.at(-1)!.launch_group!.task_group!;
    expect(group.tasks.map(({ task_id }) => task_id!.value)).to.deep.equal(["a", "b"]);
  });

  it("refuse a process that says it is their executor", async () => {
    const bench = await AgentBench.registered();
    runGroup(bench, named(bench, "a"));
    await bench.drain("a");
    expect(() => bench.subscribe("pod")).to.throw("Executor cannot be found");
  });
});
