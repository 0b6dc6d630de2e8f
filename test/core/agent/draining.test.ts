import { expect } from "chai";
import { cappedPolicy } from "../../../core/agent/draining/draining.js";
import { commandExecutorInfo } from "../../../core/agent/executors/command-executor-info.js";
import type { SavedAgent } from "../../../core/agent/recovery/saved-state.js";
import { makeUpdate } from "../../../core/agent/tasks/status.js";
import { makeTask } from "../../../core/agent/tasks/task.js";
import { uuidKey } from "../../../core/agent/updates/update-stream.js";
import { LiveAgentView } from "../../../core/agent/view.js";
import { stateJson } from "../../../plugins/agent-endpoints/state-json.js";
import { Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import { type DrainConfig, TaskState, TaskStatus_Source } from "../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, executorCall, FRAMEWORK_ID, line } from "./support/agent-bench.js";

const KILLING = { type: 2 };
const PARTITION_AWARE = { type: 5 };
const CONFIG_FILE = `/srv/meta/slaves/${AGENT_ID}/drain.config`;

const seconds = (count: number) => ({ nanoseconds: BigInt(count * 1e9) });
const drain = (bench: AgentBench, config: DrainConfig = { mark_gone: false }): void =>
  bench.master.say("DrainSlaveMessage", { config });

describe("an agent that drains", () => {
  it("kills every task, within the grace that is allowed, and says why", async () => {
    const bench = await AgentBench.registered();
    const framework = bench.framework({ capabilities: [KILLING] });
    bench.run(bench.task("slow", { kill_policy: { grace_period: seconds(60) } }), framework);
    bench.run(bench.task("quick", { kill_policy: { grace_period: seconds(1) } }), framework);
    bench.run(bench.task("plain"), framework);
    await bench.settle();
    drain(bench, { mark_gone: false, max_grace_period: seconds(10) });
    await bench.settle();
    const signals = (id: string) => bench.containerizer.of(id).signals;
    expect([signals("slow"), signals("quick"), signals("plain")]).to.deep.equal([[15], [15], [15]]);
    await bench.clock.advance(1000);
    expect([signals("slow"), signals("quick"), signals("plain")]).to.deep.equal([[15], [15, 9], [15]]);
    await bench.clock.advance(9000);
    expect([signals("slow"), signals("plain")]).to.deep.equal([
      [15, 9],
      [15, 9],
    ]);
    expect((await bench.drain("slow")).map(line)).to.deep.equal([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_KILLING REASON_AGENT_DRAINING",
      "TASK_KILLED REASON_AGENT_DRAINING: Command terminated with signal Killed",
    ]);
  });

  it("leaves tasks their own grace where nothing is said of it", () => {
    const own = { grace_period: seconds(60) };
    expect(cappedPolicy(own, {})).to.equal(undefined);
    expect(cappedPolicy(own, { max_grace_period: seconds(60) })).to.equal(undefined);
    expect(cappedPolicy(own, { max_grace_period: seconds(59) })).to.deep.equal({ grace_period: seconds(59) });
    expect(cappedPolicy(undefined, { max_grace_period: seconds(0) })).to.deep.equal({
      grace_period: seconds(0),
    });
  });

  it("calls killed tasks gone where it is to be gone, for those who know that state", async () => {
    const bench = await AgentBench.registered();
    const aware = bench.framework({ capabilities: [KILLING, PARTITION_AWARE] });
    bench.run(bench.task("t1"), aware);
    bench.run(bench.task("t2"), bench.framework({ id: { value: "other" } }));
    bench.run(bench.task("t3"), aware);
    await bench.settle();
    drain(bench, { mark_gone: true });
    await bench.settle();
    bench.containerizer.of("t3").exit(0);
    await bench.clock.advance(3000);
    expect((await bench.drain("t1")).map(line).slice(2)).to.deep.equal([
      "TASK_KILLING REASON_AGENT_DRAINING",
      "TASK_GONE_BY_OPERATOR REASON_AGENT_DRAINING: Command terminated with signal Killed",
    ]);
    expect((await bench.drain("t2")).map(line).at(-1)).to.equal(
      "TASK_KILLED REASON_AGENT_DRAINING: Command terminated with signal Killed",
    );
  });

  it("writes down that it drains before it kills, and removes that when the last end is acknowledged", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"), bench.framework({ checkpoint: true }));
    await bench.settle();
    let killedBefore: boolean | undefined;
    bench.disk.failing = (operation) => {
      if (operation.path === CONFIG_FILE) killedBefore ??= bench.containerizer.of("t1").signals.length > 0;
      return false;
    };
    drain(bench);
    await bench.clock.advance(3000);
    expect(killedBefore).to.equal(false);
    expect(bench.disk.paths("write")).to.include(CONFIG_FILE);
    expect(bench.agent.state.draining?.config).to.include({ mark_gone: false });
    await bench.drain("t1");
    expect(bench.disk.paths("remove")).to.include(CONFIG_FILE);
    expect(bench.agent.state.draining).to.equal(undefined);
    bench.run(bench.task("t2"), bench.framework({ checkpoint: true }));
    expect((await bench.drain("t2")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("kills all the same when that cannot be written down", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.disk.failing = ({ path }) => path === CONFIG_FILE;
    drain(bench);
    await bench.settle();
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15]);
    expect(bench.logger.messages("error")).to.include("that this agent drains could not be written down");
  });

  it("takes no task", async () => {
    const bench = await AgentBench.registered();
    const aware = bench.framework({ id: { value: "aware" }, capabilities: [PARTITION_AWARE] });
    bench.run(bench.task("t1"));
    await bench.settle();
    drain(bench);
    bench.run(bench.task("t2"));
    bench.run(bench.task("t3", { executor: bench.custom("e3") }), aware, true);
    const message = "Task was received while agent was already draining";
    expect((await bench.drain("t2")).map(line)).to.deep.equal([
      `TASK_LOST REASON_AGENT_DRAINING: ${message}`,
    ]);
    expect((await bench.drain("t3")).map(line)).to.deep.equal([
      `TASK_DROPPED REASON_AGENT_DRAINING: ${message}`,
    ]);
    expect(bench.master.heard("ExitedExecutorMessage").map(({ executor_id: id }) => id?.value)).to.deep.equal(
      ["e3"],
    );
  });

  it("has nothing to do where nothing runs", async () => {
    const bench = await AgentBench.registered();
    drain(bench);
    await bench.settle();
    expect(bench.agent.state.draining).to.equal(undefined);
    expect(bench.disk.paths("write")).not.to.include(CONFIG_FILE);
  });

  it("kills what executors have, and what they have not got yet", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(), true);
    bench.run(bench.task("t2", { executor: bench.custom("e2") }), bench.framework(), true);
    await bench.settle();
    const executor = bench.subscribe("e1");
    await bench.settle();
    drain(bench, { mark_gone: false, max_grace_period: seconds(7) });
    await bench.settle();
    const kill = executor.events.find(({ type }) => type === Event_Type.KILL)?.kill;
    expect(kill).to.deep.equal({
      task_id: { value: "t1" },
      kill_policy: { grace_period: seconds(7) },
    });
    expect((await bench.drain("t2")).map(line)).to.deep.equal([
      "TASK_KILLED REASON_AGENT_DRAINING: Killed before delivery to the executor",
    ]);
    const uuid = Buffer.alloc(16, 1);
    const status = { task_id: { value: "t1" }, state: TaskState.TASK_KILLED, uuid, source: 2 };
    void bench.agent.calls.call(executorCall("e1", { type: 2, update: { status } }));
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_KILLED REASON_AGENT_DRAINING"]);
  });

  it("is over when no task is left, though an executor stays", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(), true);
    await bench.settle();
    const executor = bench.subscribe("e1");
    await bench.settle();
    drain(bench);
    await bench.settle();
    const status = {
      task_id: { value: "t1" },
      state: TaskState.TASK_KILLED,
      uuid: Buffer.alloc(16, 1),
      source: 2,
    };
    void bench.agent.calls.call(executorCall("e1", { type: 2, update: { status } }));
    await bench.settle();
    expect(bench.agent.state.draining).not.to.equal(undefined);
    await bench.drain("t1");
    expect(bench.agent.state.draining).to.equal(undefined);
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(), false);
    await bench.settle();
    expect(executor.types.at(-1)).to.equal("LAUNCH");
  });

  it("follows the last word", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { kill_policy: { grace_period: seconds(60) } }));
    await bench.settle();
    drain(bench);
    await bench.clock.advance(5000);
    drain(bench, { mark_gone: false, max_grace_period: seconds(10) });
    await bench.clock.advance(5000);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
    expect(bench.agent.state.draining?.config.max_grace_period).to.deep.equal(seconds(10));
  });

  it("is shown", async () => {
    const bench = await AgentBench.registered();
    const view = new LiveAgentView(() => bench.agent, new Map());
    const state = () => JSON.parse(stateJson(view, { version: "1.12.0", buildTime: 0 }));
    expect(state()).not.to.have.any.keys("drain_config", "estimated_drain_start_time_seconds");
    bench.run(bench.task("t1"));
    await bench.settle();
    drain(bench, { mark_gone: true, max_grace_period: seconds(2) });
    await bench.settle();
    expect(state().drain_config).to.deep.equal({ mark_gone: true, max_grace_period: { nanoseconds: 2e9 } });
    expect(state().estimated_drain_start_time_seconds).to.equal(Math.floor(bench.clock.now() / 1000));
    expect(state().capabilities).to.include("AGENT_DRAINING");
  });
});

describe("an agent that was draining when it died", () => {
  const restarted = async (drainConfig: DrainConfig, tasks: readonly string[]): Promise<AgentBench> => {
    const bench = new AgentBench();
    const framework = bench.framework({ checkpoint: true });
    const executors = tasks.map((id, index) => {
      const updates = [TaskState.TASK_STARTING, TaskState.TASK_RUNNING].map((state, step) =>
        makeUpdate(
          {
            frameworkId: FRAMEWORK_ID,
            taskId: id,
            executorId: id,
            state,
            source: TaskStatus_Source.SOURCE_EXECUTOR,
          },
          { agentId: AGENT_ID, timestamp: 1, uuid: Buffer.alloc(16, 2 * index + step + 1) },
        ),
      );
      return {
        id,
        info: commandExecutorInfo(framework, bench.task(id)),
        generated: true,
        containerId: `c-${id}`,
        completed: false,
        groups: [],
        tasks: [
          {
            task: makeTask(bench.task(id, { kill_policy: { grace_period: seconds(60) } }), FRAMEWORK_ID),
            definition: undefined,
            updates,
            acknowledged: new Set(updates.map(({ uuid }) => uuidKey(uuid))),
            cutAt: undefined,
          },
        ],
      };
    });
    const saved: SavedAgent = {
      info: { ...bench.agent.state.info, id: { value: AGENT_ID } },
      resources: { committed: [], operations: [], target: undefined },
      bootId: "boot-1",
      frameworks:
        tasks.length === 0 ? [] : [{ id: FRAMEWORK_ID, info: framework, pid: undefined, executors }],
      drainConfig,
      leftovers: [],
      problems: [],
    };
    await bench.agent.recover(saved, "boot-1");
    bench.agent.start();
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    return bench;
  };

  it("goes on killing, and takes no task", async () => {
    const bench = await restarted({ mark_gone: true, max_grace_period: seconds(3) }, ["t1"]);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15]);
    bench.run(bench.task("t2"), bench.framework({ checkpoint: true }));
    expect((await bench.drain("t2")).map(line)).to.deep.equal([
      "TASK_LOST REASON_AGENT_DRAINING: Task was received while agent was already draining",
    ]);
    await bench.clock.advance(2000);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_KILLED REASON_AGENT_DRAINING: Command terminated with signal Killed",
    ]);
    expect(bench.disk.paths("remove")).to.include(CONFIG_FILE);
  });

  it("is done when nothing is left", async () => {
    const bench = await restarted({ mark_gone: false }, []);
    expect(bench.agent.state.draining).to.equal(undefined);
    expect(bench.disk.paths("remove")).to.include(CONFIG_FILE);
  });
});
