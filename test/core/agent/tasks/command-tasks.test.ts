import { expect } from "chai";
import { ExecutorInfo_Type, type UUID } from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID, line, scalar } from "../support/agent-bench.js";

const KILLING = { type: 2 };
const PARTITION_AWARE = { type: 5 };

describe("command tasks", () => {
  it("starts, runs and finishes", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    const statuses = await bench.drain("t1");
    expect(statuses.map(line)).to.deep.equal([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_FINISHED: Command exited with status 0",
    ]);
  });

  it("gives each status what clients of Mesos look for", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    const [update] = bench.updates;
    const status = update!.status!;
    const containerId = bench.containerizer.of("t1").request.containerId;
    expect(status.agent_id!.value).to.equal(AGENT_ID);
    expect(status.executor_id!.value).to.equal("t1");
    expect(status.source).to.equal(2);
    expect(status.uuid).to.deep.equal(update!.uuid);
    expect(status.uuid).to.have.length(16);
    expect(status.timestamp).to.equal(bench.clock.now() / 1000);
    expect(status.container_status!.container_id!.value).to.equal(containerId.value);
    expect(status.container_status!.executor_pid).to.equal(4242);
    expect(status.container_status!.network_infos[0]!.ip_addresses).to.deep.equal([
      { protocol: 1, ip_address: "10.0.0.2" },
    ]);
    expect(update!.executor_id!.value).to.equal("t1");
  });

  it("tells where the task was even if its container ended before anyone could look", async () => {
    const bench = await AgentBench.registered();
    bench.containerizer.forgetful = true;
    bench.run(bench.task("t1"));
    await bench.settle();
    const { container_status: status } = bench.updates[0]!.status!;
    expect(status!.container_id!.value).to.equal(bench.containerizer.of("t1").request.containerId.value);
    expect(status!.network_infos[0]!.ip_addresses).to.deep.equal([{ protocol: 1, ip_address: "10.0.0.2" }]);
  });

  it("tells exits from signals in Mesos's words", async () => {
    const bench = await AgentBench.registered();
    for (const id of ["code", "signal", "unknown"]) bench.run(bench.task(id));
    await bench.settle();
    bench.containerizer.of("code").exit(3);
    bench.containerizer.of("signal").terminate({ exit: { code: undefined, signal: 11 } });
    bench.containerizer.of("unknown").terminate({ exit: undefined });
    const last = async (id: string) => line((await bench.drain(id)).at(-1)!);
    expect(await last("code")).to.equal("TASK_FAILED: Command exited with status 3");
    expect(await last("signal")).to.equal("TASK_FAILED: Command terminated with signal Segmentation fault");
    expect(await last("unknown")).to.equal("TASK_FAILED: Failed to get exit status for Command");
  });

  it("tells what the containerizer says of the container, once, and what it calls it", async () => {
    const bench = await AgentBench.registered();
    bench.containerizer.taskNoun = "Container";
    bench.containerizer.data = Buffer.from('[{"Id":"c1"}]');
    bench.run(bench.task("t1"));
    bench.run(bench.task("t2"));
    await bench.settle();
    bench.containerizer.of("t1").exit(3);
    bench.containerizer.of("t2").terminate({ exit: undefined });
    const updates = await bench.drain("t1");
    expect(updates.map(({ data }) => data?.toString())).to.deep.equal([
      undefined,
      '[{"Id":"c1"}]',
      undefined,
    ]);
    expect(line(updates.at(-1)!)).to.equal("TASK_FAILED: Container exited with status 3");
    expect(line((await bench.drain("t2")).at(-1)!)).to.equal(
      "TASK_FAILED: Failed to get exit status of container",
    );
  });

  it("gives the container the sandbox, the command, its environment and its size", async () => {
    const bench = await AgentBench.registered({ executorEnvironment: { SITE: "x" } });
    const variables = [{ name: "MINE", value: "1" }];
    const command = { ...bench.command("echo"), environment: { variables }, user: "daemon" };
    bench.run(bench.task("t1", { command }), bench.framework({ checkpoint: true }));
    await bench.settle();
    const { request } = bench.containerizer.of("t1");
    const sandbox = `/srv/slaves/${AGENT_ID}/frameworks/${FRAMEWORK_ID}/executors/t1/runs/${request.containerId.value}`;
    expect(request.directory).to.equal(sandbox);
    expect(request.user).to.equal("daemon");
    expect(request.checkpoint).to.equal(true);
    expect(request.resources.toString()).to.match(/cpus.*1\.1.*mem.*96/);
    expect(request.environment).to.deep.equal({
      SITE: "x",
      MINE: "1",
      LIBPROCESS_PORT: "0",
      MESOS_FRAMEWORK_ID: FRAMEWORK_ID,
      MESOS_EXECUTOR_ID: "t1",
      MESOS_DIRECTORY: sandbox,
      MESOS_SLAVE_ID: AGENT_ID,
      MESOS_SLAVE_PID: "slave(1)@10.0.0.2:5051",
      MESOS_AGENT_ENDPOINT: "10.0.0.2:5051",
      MESOS_CHECKPOINT: "1",
      MESOS_HTTP_COMMAND_EXECUTOR: "0",
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: "5secs",
      MESOS_RECOVERY_TIMEOUT: "15mins",
      MESOS_SUBSCRIPTION_BACKOFF_MAX: "2secs",
      MESOS_ALLOCATION_ROLE: "*",
    });
    expect(bench.disk.operations).to.deep.include({ op: "mkdir", path: sandbox, owner: "daemon" });
  });

  it("does not switch users where it is told not to", async () => {
    const bench = await AgentBench.registered({ switchUser: false });
    bench.run(bench.task("t1"));
    await bench.settle();
    expect(bench.containerizer.of("t1").request.user).to.equal(undefined);
  });

  describe("that are killed", () => {
    it("get SIGTERM, and SIGKILL after three seconds", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"));
      await bench.settle();
      bench.kill("t1");
      await bench.clock.advance(2999);
      expect(bench.containerizer.of("t1").signals).to.deep.equal([15]);
      await bench.clock.advance(1);
      expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
      const statuses = await bench.drain("t1");
      expect(statuses.map(line)).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        "TASK_KILLED: Command terminated with signal Killed",
      ]);
    });

    it("are TASK_KILLED however they end, and TASK_KILLING for frameworks that know it", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"), bench.framework({ capabilities: [KILLING] }));
      await bench.settle();
      bench.kill("t1");
      bench.containerizer.of("t1").exit(0);
      expect((await bench.drain("t1")).map(line).slice(2)).to.deep.equal([
        "TASK_KILLING",
        "TASK_KILLED: Command exited with status 0",
      ]);
    });

    it("have the grace period of the kill, else of the task, and a shorter one later counts", async () => {
      const bench = await AgentBench.registered();
      const kill_policy = { grace_period: { nanoseconds: 20_000_000_000n } };
      bench.run(bench.task("t1", { kill_policy }));
      bench.run(bench.task("t2", { kill_policy }));
      await bench.settle();
      bench.kill("t1");
      bench.kill("t2", 1);
      await bench.clock.advance(1000);
      expect(bench.containerizer.of("t2").signals).to.deep.equal([15, 9]);
      bench.kill("t1", 60);
      await bench.clock.advance(9000);
      bench.kill("t1", 12);
      await bench.clock.advance(1999);
      expect(bench.containerizer.of("t1").signals).to.deep.equal([15]);
      await bench.clock.advance(1);
      expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
    });

    it("before they run never do", async () => {
      const bench = await AgentBench.registered();
      let go = (): void => undefined;
      bench.containerizer.beforeLaunch = () => new Promise((resolve) => (go = () => resolve(true)));
      bench.run(bench.task("t1"));
      await bench.settle();
      bench.kill("t1");
      await bench.settle();
      // Its container may come to run yet: it is not over before that has ended.
      expect(bench.updates).to.deep.equal([]);
      go();
      const statuses = await bench.drain("t1");
      expect(statuses.map(line)).to.deep.equal([
        "TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH: Killed before delivery to the executor",
      ]);
      expect(bench.containerizer.of("t1").destroyed).to.equal(true);
    });

    it("before they run are ended once that is written down", async () => {
      const bench = await AgentBench.registered();
      let go = (): void => undefined;
      bench.containerizer.beforeLaunch = () => new Promise((resolve) => (go = () => resolve(true)));
      bench.run(bench.task("t1"), bench.framework({ checkpoint: true }));
      await bench.settle();
      const write = bench.disk.hold("/t1/task.kill");
      bench.kill("t1");
      go();
      await bench.settle();
      expect(bench.containerizer.of("t1").destroyed).to.equal(false);
      write();
      await bench.settle();
      expect(bench.containerizer.of("t1").destroyed).to.equal(true);
    });

    it("and are not here are told to be lost", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"));
      await bench.settle();
      bench.kill("t2");
      expect((await bench.drain("t2")).map(line)).to.deep.equal([
        "TASK_LOST REASON_EXECUTOR_TERMINATED: Cannot find executor",
      ]);
    });
  });

  it("ends one that takes longer than its max_completion_time", async () => {
    const bench = await AgentBench.registered();
    const max_completion_time = { nanoseconds: 5_000_000_000n };
    bench.run(bench.task("t1", { max_completion_time }), bench.framework({ capabilities: [KILLING] }));
    await bench.settle();
    await bench.clock.advance(4999);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([]);
    await bench.clock.advance(1);
    expect((await bench.drain("t1")).map(line).slice(2)).to.deep.equal([
      "TASK_FAILED REASON_MAX_COMPLETION_TIME_REACHED: Command terminated with signal Killed",
    ]);
  });

  it("says why a container could not be started", async () => {
    const bench = await AgentBench.registered();
    bench.containerizer.beforeLaunch = async () => {
      throw new Error("no such program");
    };
    bench.run(bench.task("t1"));
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_FAILED REASON_CONTAINER_LAUNCH_FAILED: Failed to launch container: no such program",
    ]);
    expect(bench.metrics.snapshot().get("slave/container_launch_errors")).to.equal(1);
  });

  it("says so when no containerizer takes the container, or no sandbox can be made", async () => {
    const bench = await AgentBench.registered();
    bench.containerizer.beforeLaunch = async () => false;
    bench.run(bench.task("t1"));
    expect(line((await bench.drain("t1"))[0]!)).to.match(
      /CONTAINER_LAUNCH_FAILED.*none of the enabled containerizers \(scripted\)/,
    );
    bench.disk.failing = ({ op }) => op === "mkdir";
    bench.run(bench.task("t2"));
    // As Mesos: it was not even begun, and may run elsewhere.
    expect(line((await bench.drain("t2"))[0]!)).to.match(
      /TASK_LOST REASON_EXECUTOR_TERMINATED: .*cannot mkdir/,
    );
    const aware = bench.framework({ id: { value: "aware" }, capabilities: [PARTITION_AWARE] });
    bench.run(bench.task("t3"), aware);
    expect(line((await bench.drain("t3"))[0]!)).to.match(
      /TASK_DROPPED REASON_EXECUTOR_TERMINATED: .*cannot mkdir/,
    );
    expect(bench.metrics.snapshot().get("slave/container_launch_errors")).to.equal(1);
  });

  it("takes over the reason of an isolator that ended the container", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    const exit = { code: undefined, signal: 9 };
    // REASON_CONTAINER_LIMITATION_MEMORY
    bench.containerizer.of("t1").terminate({ exit, reason: 8, message: "Memory limit exceeded" });
    expect(line((await bench.drain("t1")).at(-1)!)).to.equal(
      "TASK_FAILED REASON_CONTAINER_LIMITATION_MEMORY: Memory limit exceeded",
    );
  });

  describe("that ask for what is not there are refused by name:", () => {
    const refused = async (more: object): Promise<string> => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1", more));
      const statuses = await bench.drain("t1");
      expect(bench.containerizer.launched).to.have.length(0);
      expect(bench.agent.state.frameworks.size, "nothing is left of the framework").to.equal(0);
      return line(statuses[0]!);
    };

    it("health checks", async () => {
      expect(await refused({ health_check: { type: 1 } })).to.match(
        /^TASK_ERROR REASON_TASK_INVALID: Health checks/,
      );
    });

    it("checks", async () => {
      expect(await refused({ check: { type: 1 } })).to.match(/^TASK_ERROR REASON_TASK_INVALID: Checks/);
    });

    it("limits, where no isolator enforces them", async () => {
      const text = (what: string, isolator: string) =>
        `TASK_LOST REASON_TASK_INVALID: ${what} limits can only be set on tasks launched in Mesos containers when the agent has loaded the '${isolator}' isolator`;
      expect(await refused({ limits: { cpus: { value: 2 } } })).to.equal(text("CPU", "cgroups/cpu"));
      expect(await refused({ limits: { mem: { value: 2 } } })).to.equal(text("Memory", "cgroups/mem"));
    });

    it("secrets, where nothing resolves them", async () => {
      const environment = { variables: [{ name: "TOKEN", type: 2 }] };
      const command = { value: "true", uris: [], arguments: [], environment };
      expect(await refused({ command })).to.match(/^TASK_ERROR REASON_TASK_INVALID: .*SECRET \(TOKEN\)/);
    });

    it("parts of GPUs", async () => {
      expect(await refused({ resources: [scalar("gpus", 0.5, "*")] })).to.equal(
        "TASK_ERROR REASON_TASK_INVALID: The 'gpus' resource must be an unsigned integer",
      );
    });

    it("reservations that the agent does not know", async () => {
      const reservations = [{ type: 2, role: "dev" }];
      const resources = [
        { name: "cpus", type: 0, scalar: { value: 1 }, reservations, allocation_info: { role: "dev" } },
      ];
      expect(await refused({ resources })).to.match(/^TASK_LOST REASON_RESOURCES_UNKNOWN/);
    });

    it("what an older report said that there is, of which the master is told anew", async () => {
      const bench = await AgentBench.registered();
      const run = (id: string, uuid: UUID | undefined) =>
        bench.master.say("RunTaskMessage", {
          framework: bench.framework(),
          task: bench.task(id),
          resource_version_uuids: [{ uuid }],
        });
      const first = bench.master.heard("RegisterSlaveMessage")[0]!.resource_version_uuid;
      bench.master.say("PingSlaveMessage", { connected: false });
      await bench.clock.advance(1000);
      const [second] = bench.master.heard("ReregisterSlaveMessage");
      run("old", first);
      run("new", second!.resource_version_uuid);
      bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
      await bench.settle();
      const [refusal] = bench.updates.filter(({ status }) => status?.task_id?.value === "old");
      expect(line(refusal!.status!)).to.equal(
        "TASK_LOST REASON_INVALID_OFFERS: Task assumes outdated resource state",
      );
      expect(bench.containerizer.launched.map(({ request }) => request.executorId)).to.deep.equal(["new"]);
      run("older", first);
      await bench.clock.advance(1000);
      const reports = bench.master.heard("ReregisterSlaveMessage");
      expect(reports.at(-1)!.tasks.map(({ task_id }) => task_id?.value)).to.deep.equal(["new"]);
      const versions = reports.map(({ resource_version_uuid: version }) => version!.value!.toString("hex"));
      expect(new Set(versions).size).to.equal(reports.length);
    });

    it("groups of which one task asks for it, as a whole", async () => {
      const bench = await AgentBench.registered();
      const checked = bench.task("b", { limits: { mem: { value: 64 } } });
      bench.master.say("RunTaskGroupMessage", {
        framework: bench.framework(),
        executor: { executor_id: { value: "pod" }, type: ExecutorInfo_Type.DEFAULT, resources: [] },
        task_group: { tasks: [bench.task("a"), checked] },
        resource_version_uuids: [],
        launch_executor: true,
      });
      const lines = [...(await bench.drain("a")), ...(await bench.drain("b"))].map(line);
      const text =
        "TASK_LOST REASON_TASK_INVALID: Memory limits can only be set on tasks launched in Mesos containers when the agent has loaded the 'cgroups/mem' isolator";
      expect(lines).to.deep.equal([text, text]);
      const [exited] = bench.master.heard("ExitedExecutorMessage");
      expect(exited).to.deep.include({ executor_id: { value: "pod" }, status: -1 });
      expect(bench.containerizer.launched).to.deep.equal([]);
    });
  });

  it("gives tasks of frameworks without MULTI_ROLE the framework's role", async () => {
    const bench = await AgentBench.registered();
    const resources = [{ name: "cpus", type: 0, scalar: { value: 1 }, role: "dev", reservations: [] }];
    bench.run(bench.task("t1", { resources }), bench.framework({ role: "dev" }));
    await bench.settle();
    expect(bench.containerizer.of("t1").request.environment.MESOS_ALLOCATION_ROLE).to.equal("dev");
  });

  it("does not run a task twice", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.run(bench.task("t1"));
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
  });

  it("ignores tasks for another agent's id", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { agent_id: { value: "m-S7" } }));
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(0);
  });

  describe("when the framework goes", () => {
    it("are ended with a grace period, and nobody is told", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"));
      await bench.settle();
      const told = bench.updates.length;
      bench.master.say("ShutdownFrameworkMessage", { framework_id: { value: FRAMEWORK_ID } });
      await bench.settle();
      expect(bench.containerizer.of("t1").signals).to.deep.equal([15]);
      await bench.clock.advance(3000);
      expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
      await bench.clock.advance(600_000);
      expect(bench.updates).to.have.length(told);
      expect(bench.agent.state.frameworks.size).to.equal(0);
      expect([...bench.agent.state.completedFrameworks.keys()]).to.deep.equal([FRAMEWORK_ID]);
    });

    it("keep their history when it comes back", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"));
      await bench.settle();
      bench.containerizer.of("t1").exit(0);
      await bench.drain("t1");
      expect(bench.agent.state.frameworks.size).to.equal(0);
      bench.run(bench.task("t2"));
      await bench.settle();
      const framework = bench.agent.state.frameworks.get(FRAMEWORK_ID)!;
      expect(framework.completed.map(({ id }) => id)).to.deep.equal(["t1"]);
      expect(framework.completed[0]!.completedTasks[0]!.statuses).to.have.length(3);
    });
  });

  it("counts what happened, under Mesos's names", async () => {
    const bench = await AgentBench.registered();
    for (const id of ["a", "b", "c"]) bench.run(bench.task(id));
    await bench.settle();
    const of = (name: string) => bench.metrics.snapshot().get(`slave/${name}`);
    await bench.drain("a");
    expect([of("tasks_running"), of("executors_running"), of("cpus_used"), of("cpus_percent")]).to.deep.equal(
      [3, 3, 3.3, 0.825],
    );
    bench.containerizer.of("a").exit(0);
    bench.containerizer.of("b").exit(1);
    await bench.drain("a");
    expect([of("tasks_finished"), of("tasks_failed"), of("tasks_running")]).to.deep.equal([1, 1, 1]);
    expect([of("executors_terminated"), of("frameworks_active"), of("registered")]).to.deep.equal([2, 1, 1]);
  });
});
