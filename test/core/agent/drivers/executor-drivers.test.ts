import { expect } from "chai";
import { decodeDriverMessage } from "../../../../core/agent/drivers/driver-messages.js";
import type { AgentOptions } from "../../../../core/agent/options.js";
import type { SavedAgent } from "../../../../core/agent/recovery/saved-state.js";
import { makeTask } from "../../../../core/agent/tasks/task.js";
import type { StatusUpdate } from "../../../../proto/gen/mesos/internal/messages.js";
import { type FrameworkInfo, TaskState, type TaskStatus } from "../../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID, line } from "../support/agent-bench.js";

const DRIVER = "executor(1)@10.0.0.2:40001";
const STRANGER = "executor(1)@10.0.0.9:666";
const framework_id = { value: FRAMEWORK_ID };
const executor_id = { value: "e1" };
const { TASK_RUNNING, TASK_FINISHED, TASK_STAGING } = TaskState;

let uuids = 0;

function update(taskId: string, state: TaskState, more: Partial<StatusUpdate> = {}): StatusUpdate {
  const uuid = Buffer.from(String(uuids++).padStart(16, "0"));
  return {
    framework_id,
    executor_id,
    slave_id: { value: AGENT_ID },
    status: status(taskId, state),
    timestamp: 7,
    uuid,
    ...more,
  };
}

const status = (taskId: string, state: TaskState, more: Partial<TaskStatus> = {}): TaskStatus => ({
  task_id: { value: taskId },
  state,
  agent_id: { value: AGENT_ID },
  ...more,
});

/** What was said to an address, oldest first, by the names of the messages. */
const said = (bench: AgentBench, to = DRIVER): string[] =>
  bench.master.sent
    .filter((message) => message.to === to)
    .map(({ name }) => name.replace("mesos.internal.", ""));

const register = (bench: AgentBench, from = DRIVER, of: { executor_id?: { value: string } } = {}): void =>
  bench.master.say("RegisterExecutorMessage", { framework_id, executor_id, ...of }, from);

async function launched(more: Partial<FrameworkInfo> = {}, options: Partial<AgentOptions> = {}) {
  const bench = await AgentBench.registered(options);
  bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(more), true);
  await bench.settle();
  return bench;
}

/** With its executor `e1` registered, which has its task `t1`. */
async function running(more: Partial<FrameworkInfo> = {}, options: Partial<AgentOptions> = {}) {
  const bench = await launched(more, options);
  register(bench);
  await bench.settle();
  return bench;
}

describe("executors of the v0 driver", () => {
  it("are registered, and get their tasks, kills and messages in messages", async () => {
    const bench = await running();
    bench.kill("t1", 7);
    bench.master.say("FrameworkToExecutorMessage", {
      slave_id: { value: AGENT_ID },
      framework_id,
      executor_id,
      data: Buffer.from("hello"),
    });
    expect(said(bench)).to.deep.equal([
      "ExecutorRegisteredMessage",
      "RunTaskMessage",
      "KillTaskMessage",
      "FrameworkToExecutorMessage",
    ]);
    const [registered] = bench.master.heard("ExecutorRegisteredMessage");
    expect(registered!.executor_info!.executor_id).to.deep.equal(executor_id);
    expect(registered!.framework_info!.id).to.deep.equal(framework_id);
    expect(registered!.slave_info!.id!.value).to.equal(AGENT_ID);
    const [run] = bench.master.heard("RunTaskMessage");
    expect(run!.task!.task_id!.value).to.equal("t1");
    expect(run!.framework!.id).to.deep.equal(framework_id);
    expect(run!.pid, "old drivers take none without it").to.equal("@0.0.0.0:0");
    const [kill] = bench.master.heard("KillTaskMessage");
    expect(kill!.kill_policy!.grace_period!.nanoseconds).to.equal(7_000_000_000n);
    const [message] = bench.master.heard("FrameworkToExecutorMessage");
    expect(String(message!.data)).to.equal("hello");
  });

  it("tell how their tasks fare, and are told when that is safe", async () => {
    const bench = await running();
    const sent = [update("t1", TASK_RUNNING), update("t1", TASK_FINISHED, { executor_id: undefined })];
    for (const one of sent)
      bench.master.say("StatusUpdateMessage", { update: one, pid: "elsewhere@1.1.1.1:1" }, DRIVER);
    const statuses = await bench.drain("t1");
    expect(statuses.map(line)).to.deep.equal(["TASK_RUNNING", "TASK_FINISHED"]);
    expect(statuses.map(({ executor_id: id }) => id?.value)).to.deep.equal(["e1", undefined]);
    expect(statuses[0]!.timestamp).to.equal(7);
    const acknowledged = bench.master.heard("StatusUpdateAcknowledgementMessage", DRIVER);
    expect(acknowledged.map(({ uuid }) => uuid)).to.deep.equal(sent.map(({ uuid }) => uuid));
    expect(acknowledged[0]!.task_id!.value).to.equal("t1");
    expect(said(bench, "elsewhere@1.1.1.1:1"), "to who sent it, not to whom it names").to.deep.equal([]);
  });

  it("hear no heartbeats: the driver has no message for them", async () => {
    const bench = await running();
    await bench.clock.advance(3 * 1_800_000);
    expect(said(bench)).to.deep.equal(["ExecutorRegisteredMessage", "RunTaskMessage"]);
  });

  it("reach their scheduler", async () => {
    const bench = await running();
    const body = { slave_id: { value: AGENT_ID }, framework_id, executor_id, data: Buffer.from("hi") };
    bench.master.say("ExecutorToFrameworkMessage", body, DRIVER);
    bench.master.say("ExecutorToFrameworkMessage", { ...body, data: Buffer.from("lie") }, STRANGER);
    bench.master.say("ExecutorToFrameworkMessage", { ...body, executor_id: { value: "e2" } }, DRIVER);
    const heard = bench.master.heard("ExecutorToFrameworkMessage");
    expect(heard.map(({ data }) => String(data))).to.deep.equal(["hi"]);
    expect(bench.metrics.snapshot().get("slave/invalid_framework_messages")).to.equal(2);
  });

  it("are asked to end before they are made to", async () => {
    const bench = await running();
    bench.master.say("ShutdownExecutorMessage", { framework_id, executor_id });
    expect(said(bench).at(-1)).to.equal("ShutdownExecutorMessage");
    await bench.clock.advance(4999);
    expect(bench.containerizer.of("e1").destroyed).to.equal(false);
    await bench.clock.advance(1);
    expect(bench.containerizer.of("e1").destroyed).to.equal(true);
  });

  it("that find nothing to do any more are told to end, and not registered", async () => {
    const bench = await launched();
    bench.kill("t1");
    register(bench);
    await bench.settle();
    expect(said(bench)).to.deep.equal(["ShutdownExecutorMessage"]);
  });

  it("cannot launch task groups, which is told: they have no message for them", async () => {
    const bench = await AgentBench.registered();
    const executor = bench.custom("e1")!;
    bench.master.say("RunTaskGroupMessage", {
      framework: bench.framework(),
      executor,
      task_group: { tasks: [bench.task("t1"), bench.task("t2")] },
      resource_version_uuids: [],
      launch_executor: true,
    });
    await bench.settle();
    register(bench);
    const expected = [
      "TASK_FAILED REASON_TASK_INVALID: Executors of the v0 driver cannot launch task groups",
    ];
    expect((await bench.drain("t1")).map(line)).to.deep.equal(expected);
    expect((await bench.drain("t2")).map(line)).to.deep.equal(expected);
    expect(said(bench)).to.deep.equal(["ExecutorRegisteredMessage"]);
  });

  it("have their address written down before they know that they are registered", async () => {
    const bench = await launched({ checkpoint: true });
    const written = bench.disk.hold();
    register(bench);
    await bench.settle();
    expect(said(bench)).to.deep.equal([]);
    written();
    await bench.settle();
    expect(said(bench)).to.deep.equal(["ExecutorRegisteredMessage", "RunTaskMessage"]);
    const file = bench.disk.operations.find(({ path }) => path.endsWith("/pids/libprocess.pid"));
    expect(file?.op === "create" && String(file.data)).to.equal(DRIVER);
    expect(
      bench.disk.paths("create").some((path) => path.endsWith("/http.marker")),
      "it is not one of the other kind",
    ).to.equal(false);
  });

  describe("are not", () => {
    const strangers: Record<string, (bench: AgentBench) => void> = {
      "those of an executor that is there already": (bench) => register(bench, STRANGER),
      "those that nobody launched": (bench) =>
        register(bench, STRANGER, { executor_id: { value: "unknown" } }),
      "those of another framework": (bench) =>
        bench.master.say(
          "RegisterExecutorMessage",
          { framework_id: { value: "other" }, executor_id },
          STRANGER,
        ),
      "those that come back to an agent that was not away": (bench) =>
        bench.master.say(
          "ReregisterExecutorMessage",
          { framework_id, executor_id, tasks: [], updates: [update("t1", TASK_FINISHED)] },
          STRANGER,
        ),
    };
    for (const [what, come] of Object.entries(strangers)) {
      it(`${what}: these are told to end`, async () => {
        const bench = await running();
        const before = said(bench).length;
        come(bench);
        await bench.settle();
        expect(said(bench, STRANGER)).to.deep.equal(["ShutdownExecutorMessage"]);
        expect(said(bench)).to.have.length(before);
        expect(bench.updates).to.deep.equal([]);
      });
    }

    it("in the place of a command task, whose executor is the agent itself", async () => {
      const bench = await AgentBench.registered();
      bench.run(bench.task("t1"));
      register(bench, STRANGER, { executor_id: { value: "t1" } });
      await bench.settle();
      expect(said(bench, STRANGER)).to.deep.equal(["ShutdownExecutorMessage"]);
      expect(bench.agent.state.executor(FRAMEWORK_ID, "t1")!.command).not.to.equal(undefined);
    });
  });

  describe("tell in vain, which is counted,", () => {
    const lies: Record<string, [StatusUpdate, string?]> = {
      "what is of no executor here": [update("t1", TASK_FINISHED), STRANGER],
      "what is of another framework": [update("t1", TASK_FINISHED, { framework_id: { value: "other" } })],
      "what is of another agent": [update("t1", TASK_FINISHED, { slave_id: { value: "other" } })],
      "what the status says is of another agent": [
        update("t1", TASK_FINISHED, {
          status: status("t1", TASK_FINISHED, { agent_id: { value: "other" } }),
        }),
      ],
      "what has no UUID": [update("t1", TASK_FINISHED, { uuid: undefined })],
      "what has half a UUID": [update("t1", TASK_FINISHED, { uuid: Buffer.from("12345678") })],
    };
    for (const [what, [one, from]] of Object.entries(lies)) {
      it(what, async () => {
        const bench = await running();
        bench.master.say("StatusUpdateMessage", { update: one }, from ?? DRIVER);
        await bench.settle();
        expect(bench.updates).to.deep.equal([]);
        expect(bench.metrics.snapshot().get("slave/invalid_status_updates")).to.equal(1);
        expect(bench.agent.state.executor(FRAMEWORK_ID, "e1")!.task("t1")!.state).to.equal(TASK_STAGING);
      });
    }
  });

  it("that report TASK_STAGING are told to end", async () => {
    const bench = await running();
    bench.master.say("StatusUpdateMessage", { update: update("t1", TASK_STAGING) }, DRIVER);
    expect(said(bench).at(-1)).to.equal("ShutdownExecutorMessage");
  });

  it("that send what cannot be read change nothing", async () => {
    const bench = await running();
    for (const name of ["RegisterExecutorMessage", "ReregisterExecutorMessage", "StatusUpdateMessage"]) {
      for (const body of [Buffer.alloc(0), Buffer.from([0xff, 0xff, 1]), Buffer.alloc(1000, 7)])
        bench.master.deliver({ from: DRIVER, name: `mesos.internal.${name}`, body });
    }
    await bench.settle();
    expect(said(bench)).to.deep.equal(["ExecutorRegisteredMessage", "RunTaskMessage"]);
    expect(bench.updates).to.deep.equal([]);
  });

  it("are heard only in their own messages", () => {
    expect(decodeDriverMessage("mesos.internal.RunTaskMessage", Buffer.alloc(0))).to.equal(undefined);
    expect(decodeDriverMessage("mesos.exterior.RegisterExecutorMessage", Buffer.alloc(0))).to.equal(
      undefined,
    );
  });
});

/** An agent that comes back to an executor `e1` at its address, with tasks `t1` and `t2`. */
class Restarted {
  readonly bench: AgentBench;

  constructor(options: Partial<AgentOptions> = {}) {
    this.bench = new AgentBench(options);
  }

  get saved(): SavedAgent {
    const { bench } = this;
    const tasks = ["t1", "t2"].map((id) => ({
      task: makeTask(bench.task(id), FRAMEWORK_ID),
      definition: undefined,
      updates: [],
      acknowledged: new Set<string>(),
      cutAt: undefined,
    }));
    const info = { ...bench.custom("e1")!, framework_id };
    return {
      info: { ...bench.agent.state.info, id: { value: AGENT_ID } },
      resources: { committed: [], operations: [], target: undefined },
      bootId: "boot",
      frameworks: [
        {
          id: FRAMEWORK_ID,
          info: bench.framework({ checkpoint: true }),
          pid: undefined,
          executors: [
            {
              id: "e1",
              info,
              generated: false,
              groups: [],
              containerId: "c1",
              completed: false,
              driver: DRIVER,
              tasks,
            },
          ],
        },
      ],
      leftovers: [],
      problems: [],
    };
  }

  /** @param meanwhile what happens while the agent waits for its executors */
  async recover(meanwhile: (bench: AgentBench) => void): Promise<AgentBench> {
    const { bench } = this;
    const recovered = bench.agent.recover(this.saved, "boot");
    await bench.clock.advance(500);
    meanwhile(bench);
    await bench.clock.advance(1500);
    await recovered;
    bench.agent.start();
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    return bench;
  }
}

const reregister = (bench: AgentBench, from = DRIVER): void =>
  bench.master.say(
    "ReregisterExecutorMessage",
    { framework_id, executor_id, tasks: [bench.task("t1")], updates: [update("t1", TASK_RUNNING)] },
    from,
  );

describe("an agent that comes back to executors of the v0 driver", () => {
  it("asks them to come back, takes what they have to tell, and drops what they never got", async () => {
    const bench = await new Restarted().recover((bench) => {
      expect(said(bench)).to.deep.equal(["ReconnectExecutorMessage"]);
      reregister(bench);
    });
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_RUNNING"]);
    expect((await bench.drain("t2")).map(line)).to.deep.equal([
      "TASK_LOST REASON_AGENT_RESTARTED: Task launched during agent restart",
    ]);
    // Before it is registered again the driver would pass acknowledgements over.
    expect(said(bench)).to.deep.equal([
      "ReconnectExecutorMessage",
      "ExecutorReregisteredMessage",
      "StatusUpdateAcknowledgementMessage",
    ]);
    expect(bench.agent.state.executor(FRAMEWORK_ID, "e1")!.state).to.equal("running");
  });

  it("ends those that do not come, and their tasks are told why", async () => {
    const bench = await new Restarted().recover(() => undefined);
    expect(bench.containerizer.of("e1").destroyed).to.equal(true);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_LOST REASON_EXECUTOR_REREGISTRATION_TIMEOUT: Executor did not reregister within 2secs",
    ]);
  });

  it("asks again where it is told to, until they come", async () => {
    const options = { executorReregistrationRetryInterval: 100 };
    const bench = await new Restarted(options).recover(reregister);
    const asked = said(bench).filter((name) => name === "ReconnectExecutorMessage");
    expect(asked).to.have.length(6);
    reregister(bench);
    await bench.clock.advance(1000);
    expect(said(bench), "which may make them come twice").not.to.include("ShutdownExecutorMessage");
    expect(said(bench).filter((name) => name === "ReconnectExecutorMessage")).to.have.length(6);
  });

  it("tells others to end that say to be them, and those that register as if they were new", async () => {
    const bench = await new Restarted().recover((bench) => {
      reregister(bench, STRANGER);
      register(bench, STRANGER);
      expect(said(bench, STRANGER)).to.deep.equal(["ShutdownExecutorMessage", "ShutdownExecutorMessage"]);
      reregister(bench);
    });
    expect(bench.agent.state.executor(FRAMEWORK_ID, "e1")!.state).to.equal("running");
  });

  it("takes what they tell before they come back", async () => {
    const bench = await new Restarted().recover((bench) => {
      bench.master.say("StatusUpdateMessage", { update: update("t2", TASK_RUNNING) }, DRIVER);
      reregister(bench);
    });
    expect((await bench.drain("t2")).map(line)).to.deep.equal(["TASK_RUNNING"]);
  });

  it("asks them to end where it only ends what is left", async () => {
    const { bench, saved } = new Restarted({ recover: "cleanup" });
    await bench.agent.recover(saved, "boot");
    bench.agent.endEarlierRun();
    expect(said(bench).at(-1)).to.equal("ShutdownExecutorMessage");
    expect(bench.containerizer.of("e1").destroyed).to.equal(false);
    await bench.clock.advance(5000);
    expect(bench.containerizer.of("e1").destroyed).to.equal(true);
  });
});
