import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  type ExecutorPrograms,
  findExecutorPrograms,
} from "../../../../core/agent/executors/executor-programs.js";
import { Call_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import { ContainerInfo_Type, ExecutorInfo_Type, TaskState } from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, executorCall, line, scalar } from "../support/agent-bench.js";

const DIRECTORY = "/usr/libexec/mesos";
const BOTH: ExecutorPrograms = { directory: DIRECTORY, command: true, default: true };

const status = (taskId: string, state: TaskState) => ({
  task_id: { value: taskId },
  state,
  source: 2,
  uuid: Buffer.from(`${taskId}-${state}`.padEnd(16, ".")),
  timestamp: 1,
});

const group = (bench: AgentBench, ...ids: string[]) =>
  bench.master.say("RunTaskGroupMessage", {
    framework: bench.framework(),
    executor: {
      executor_id: { value: "pod" },
      type: ExecutorInfo_Type.DEFAULT,
      resources: [scalar("cpus", 0.1, "*"), scalar("mem", 32, "*")],
    },
    task_group: { tasks: ids.map((id) => bench.task(id)) },
    resource_version_uuids: [],
    launch_executor: true,
  });

describe("Mesos's own executors", () => {
  it("are looked for where the operator says that they are", () => {
    const directory = mkdtempSync(join(tmpdir(), "tepui-launcher-"));
    try {
      expect(findExecutorPrograms(directory)).to.equal(undefined);
      writeFileSync(join(directory, "mesos-default-executor"), "");
      expect(findExecutorPrograms(directory)).to.deep.equal({ directory, command: false, default: true });
      writeFileSync(join(directory, "mesos-executor"), "");
      expect(findExecutorPrograms(directory)).to.deep.equal({ directory, command: true, default: true });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("run command tasks, which are delivered to them; the master hears nothing of them", async () => {
    const bench = await AgentBench.registered({ executorPrograms: BOTH, httpCommandExecutor: true });
    const { command } = bench.task("t1");
    bench.run(bench.task("t1"), bench.framework(), true);
    await bench.settle();
    const { request } = bench.containerizer.of("t1");
    expect(request.command).to.deep.include({
      shell: false,
      value: `${DIRECTORY}/mesos-executor`,
      arguments: ["mesos-executor", `--launcher_dir=${DIRECTORY}`],
    });
    expect(request.environment).to.include({ MESOS_EXECUTOR_ID: "t1", MESOS_HTTP_COMMAND_EXECUTOR: "1" });
    expect(request.task, "what is in the container is no task").to.equal(undefined);
    const executor = bench.subscribe("t1");
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    expect(executor.events[1]!.launch!.task!.command).to.deep.include({ value: command!.value });
    for (const state of [TaskState.TASK_RUNNING, TaskState.TASK_FINISHED])
      void bench.agent.calls.call(
        executorCall("t1", { type: Call_Type.UPDATE, update: { status: status("t1", state) } }),
      );
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED"]);
    bench.containerizer.of("t1").exit(0);
    await bench.settle();
    expect(bench.master.heard("ExitedExecutorMessage")).to.deep.equal([]);
  });

  it("that do not come, or end, take their task along", async () => {
    const bench = await AgentBench.registered({ executorPrograms: BOTH });
    bench.run(bench.task("late"), bench.framework(), true);
    bench.run(bench.task("dead"), bench.framework(), true);
    await bench.settle();
    bench.containerizer.of("dead").exit(1);
    expect((await bench.drain("dead")).map(line)).to.deep.equal([
      "TASK_FAILED REASON_EXECUTOR_TERMINATED: Executor terminated",
    ]);
    await bench.clock.advance(60_000);
    expect((await bench.drain("late")).map(line)).to.deep.equal([
      "TASK_FAILED REASON_EXECUTOR_REGISTRATION_TIMEOUT: Executor did not register within 1mins",
    ]);
  });

  it("run pods", async () => {
    const bench = await AgentBench.registered({ executorPrograms: BOTH });
    group(bench, "a", "b");
    await bench.settle();
    const { request } = bench.containerizer.of("pod");
    expect(request.command.value).to.equal(`${DIRECTORY}/mesos-default-executor`);
    const executor = bench.subscribe("pod");
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH_GROUP"]);
    expect(bench.containerizer.launched).to.have.length(1);
  });

  it("are not what runs containers of Docker, images, terminals, or what there is no program for", async () => {
    const bench = await AgentBench.registered({ executorPrograms: { ...BOTH, default: false } });
    const mesos = { type: ContainerInfo_Type.MESOS, volumes: [], network_infos: [] };
    bench.run(bench.task("plain", { container: mesos }), bench.framework(), true);
    bench.run(bench.task("tty", { container: { ...mesos, tty_info: {} } }), bench.framework(), true);
    const docker = { type: ContainerInfo_Type.DOCKER, volumes: [], network_infos: [] };
    bench.run(bench.task("docker", { container: docker }), bench.framework(), true);
    group(bench, "a");
    await bench.settle();
    const programs = bench.containerizer.launched
      .map(({ request }) => request.command.value)
      .filter((value) => value?.startsWith(DIRECTORY));
    expect(programs).to.deep.equal([`${DIRECTORY}/mesos-executor`]);
    expect(bench.containerizer.of("tty").request.task?.task_id?.value).to.equal("tty");
    expect((await bench.drain("tty")).map(line).slice(0, 2)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("are asked to end as any executor is", async () => {
    const bench = await AgentBench.registered({ executorPrograms: BOTH });
    bench.run(bench.task("t1"), bench.framework(), true);
    await bench.settle();
    const executor = bench.subscribe("t1");
    await bench.settle();
    bench.kill("t1");
    bench.master.say("ShutdownExecutorMessage", {
      executor_id: { value: "t1" },
      framework_id: bench.framework().id,
    });
    await bench.settle();
    expect(executor.types.slice(2)).to.deep.equal(["KILL", "SHUTDOWN"]);
    expect(bench.containerizer.of("t1").destroyed).to.equal(false);
    await bench.clock.advance(5000);
    expect(bench.containerizer.of("t1").destroyed).to.equal(true);
    expect(bench.agent.state.id).to.equal(AGENT_ID);
  });
});
