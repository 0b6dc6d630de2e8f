import { expect } from "chai";
import { commandExecutorInfo } from "../../../core/agent/command-executor-info.js";
import type { SavedAgent, SavedExecutor, SavedTask } from "../../../core/agent/recovery/saved-state.js";
import { makeUpdate } from "../../../core/agent/status.js";
import { makeTask } from "../../../core/agent/task.js";
import { uuidKey } from "../../../core/agent/updates/update-stream.js";
import { TaskState, TaskStatus_Source } from "../../../proto/gen/mesos/v1/mesos.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID, line, scalar } from "./support/agent-bench.js";

const BOOT = "boot-1";
const { TASK_STARTING, TASK_RUNNING, TASK_FINISHED } = TaskState;

let uuids = 0;

/** A bench whose agent is to take up what a case of the test left. */
class Restarted {
  readonly bench = new AgentBench();
  readonly framework = this.bench.framework({ checkpoint: true });

  /** A task that told these states, of which the scheduler acknowledged the first ones. */
  task(id: string, states: readonly TaskState[], acknowledged = states.length): SavedTask {
    const info = this.bench.task(id);
    const updates = states.map((state) =>
      makeUpdate(
        {
          frameworkId: FRAMEWORK_ID,
          taskId: id,
          executorId: id,
          state,
          source: TaskStatus_Source.SOURCE_EXECUTOR,
        },
        {
          agentId: AGENT_ID,
          timestamp: this.bench.clock.now() / 1000,
          uuid: Buffer.from(String(uuids++).padStart(16, "0")),
        },
      ),
    );
    return {
      task: makeTask(info, FRAMEWORK_ID),
      definition: undefined,
      updates,
      acknowledged: new Set(updates.slice(0, acknowledged).map(({ uuid }) => uuidKey(uuid))),
      cutAt: undefined,
    };
  }

  command(id: string, task: SavedTask, more: Partial<SavedExecutor> = {}): SavedExecutor {
    const info = commandExecutorInfo(this.framework, this.bench.task(id));
    return { id, info, generated: true, containerId: `c-${id}`, completed: false, tasks: [task], ...more };
  }

  saved(executors: readonly SavedExecutor[], more: Partial<SavedAgent> = {}): SavedAgent {
    return {
      info: { ...this.bench.agent.state.info, id: { value: AGENT_ID } },
      resources: { committed: [], operations: [], target: undefined },
      bootId: BOOT,
      frameworks: [{ id: FRAMEWORK_ID, info: this.framework, pid: undefined, executors }],
      leftovers: [],
      problems: [],
      ...more,
    };
  }

  async recover(saved: SavedAgent, bootId = BOOT): Promise<AgentBench> {
    const recovered = this.bench.agent.recover(saved, bootId);
    // Custom executors have two seconds to come back.
    await this.bench.clock.advance(2000);
    await recovered;
    this.bench.agent.start();
    return this.bench;
  }

  async register(): Promise<void> {
    this.bench.master.lead();
    await this.bench.clock.advance(1000);
    this.bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
  }
}

describe("an agent that comes back", () => {
  it("has its id, and tells the master what still runs", async () => {
    const it = new Restarted();
    const bench = await it.recover(
      it.saved([it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING]))]),
    );
    await it.register();
    const [message] = bench.master.heard("ReregisterSlaveMessage");
    expect(message!.slave!.id!.value).to.equal(AGENT_ID);
    expect(message!.tasks.map(({ task_id, state }) => [task_id!.value, state])).to.deep.equal([
      ["t1", TASK_RUNNING],
    ]);
    expect(bench.updates).to.deep.equal([]);
  });

  it("tells the end of a task that ended meanwhile, and kills one that still runs", async () => {
    const it = new Restarted();
    const running = (id: string) => it.command(id, it.task(id, [TASK_STARTING, TASK_RUNNING]));
    const bench = await it.recover(it.saved([running("t1"), running("t2")]));
    await it.register();
    bench.containerizer.of("t1").exit(3);
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_FAILED: Command exited with status 3"]);
    bench.kill("t2");
    await bench.clock.advance(3000);
    expect(bench.containerizer.of("t2").signals).to.deep.equal([15, 9]);
    expect((await bench.drain("t2")).map(line)).to.deep.equal([
      "TASK_KILLED: Command terminated with signal Killed",
    ]);
  });

  it("sends again from the first update that was not acknowledged", async () => {
    const it = new Restarted();
    const bench = await it.recover(
      it.saved([it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING], 1))]),
    );
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_RUNNING"]);
    expect(
      bench.disk.operations.filter(({ op }) => op === "append"),
      "only the acknowledgement is new",
    ).to.have.length(1);
  });

  it("tells what it had no time to tell of a task that it had just started", async () => {
    const it = new Restarted();
    const bench = await it.recover(it.saved([it.command("t1", it.task("t1", []))]));
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("gives up what it had written down and not started", async () => {
    const it = new Restarted();
    it.bench.containerizer.recover = async () => undefined;
    const bench = await it.recover(it.saved([it.command("t1", it.task("t1", []))]));
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_LOST REASON_AGENT_RESTARTED: Task launched during agent restart",
    ]);
  });

  it("keeps a task's time limit, counted from when it ran", async () => {
    const it = new Restarted();
    const max_completion_time = { nanoseconds: 60_000_000_000n };
    const task = {
      ...it.task("t1", [TASK_STARTING, TASK_RUNNING]),
      definition: it.bench.task("t1", { max_completion_time }),
    };
    await it.bench.clock.advance(50_000);
    const bench = await it.recover(it.saved([it.command("t1", task)]));
    await it.register();
    await bench.clock.advance(6999);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([]);
    await bench.clock.advance(1);
    expect(bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
  });

  it("keeps the limits of its containers", async () => {
    const it = new Restarted();
    const saved = it.task("t1", [TASK_STARTING, TASK_RUNNING]);
    const limited = { ...saved, task: { ...saved.task, limits: { mem: { value: 128 } } } };
    const bench = await it.recover(it.saved([it.command("t1", limited)]));
    const [recovered] = bench.containerizer.recovered;
    expect(recovered!.request.limits).to.deep.equal({ mem: 160 });
    expect(recovered!.request.resources.mem).to.equal(96);
  });

  it("keeps the history of what was over", async () => {
    const it = new Restarted();
    const over = it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING, TASK_FINISHED]), {
      completed: true,
    });
    const bench = await it.recover(it.saved([over]));
    const [framework] = bench.agent.state.completedFrameworks.values();
    expect(framework!.completed.map(({ id }) => id)).to.deep.equal(["t1"]);
    expect(bench.containerizer.launched).to.deep.equal([]);
  });

  it("waits for custom executors before it registers, and ends those that do not come", async () => {
    const it = new Restarted();
    const custom = (id: string): SavedExecutor => {
      const info = it.bench.custom(id)!;
      return {
        id,
        info,
        generated: false,
        containerId: `c-${id}`,
        completed: false,
        tasks: [it.task(`of-${id}`, [TASK_RUNNING])],
      };
    };
    const recovered = it.bench.agent.recover(it.saved([custom("e1"), custom("e2")]), BOOT);
    await it.bench.clock.advance(1000);
    const executor = it.bench.subscribe("e1");
    await it.bench.clock.advance(1000);
    await recovered;
    it.bench.agent.start();
    await it.register();
    expect(executor.types).to.deep.equal(["SUBSCRIBED"]);
    expect(it.bench.containerizer.of("e2").destroyed).to.equal(true);
    expect((await it.bench.drain("of-e2")).map(line)).to.deep.equal([
      "TASK_LOST REASON_EXECUTOR_REREGISTRATION_TIMEOUT: Executor did not reregister within 2secs",
    ]);
    expect((await it.bench.drain("of-e1")).map(line)).to.deep.equal([]);
  });

  it("knows after a reboot that nothing survived", async () => {
    const it = new Restarted();
    const bench = await it.recover(
      it.saved([it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING]))]),
      "boot-2",
    );
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_FAILED REASON_EXECUTOR_TERMINATED: The container ended while the agent was away, and how is not known",
    ]);
  });

  it("refuses to be the same agent with other resources, and says what changed", async () => {
    const it = new Restarted();
    const before = {
      ...it.bench.agent.state.info,
      id: { value: AGENT_ID },
      resources: [scalar("cpus", 2)],
      hostname: "old",
    };
    const refused = await it.bench.agent.recover(it.saved([], { info: before }), BOOT).then(() => "", String);
    expect(refused).to.match(/hostname changed from 'old' to 'agent.example'/);
    expect(refused).to.match(/resources changed from 'cpus:2' to 'cpus:4; mem:4096'/);
  });

  it("is another agent when that happened with a reboot", async () => {
    const it = new Restarted();
    const before = { ...it.bench.agent.state.info, id: { value: AGENT_ID }, hostname: "old" };
    const bench = await it.recover(it.saved([], { info: before, frameworks: [] }), "boot-2");
    bench.master.lead();
    await bench.clock.advance(1000);
    expect(bench.master.heard("RegisterSlaveMessage")).not.to.have.length(0);
    expect(bench.master.heard("ReregisterSlaveMessage")).to.have.length(0);
  });

  it("still has its reservations, and refuses to start without what they are made of", async () => {
    const it = new Restarted();
    const reserved = (cpus: number) => ({
      ...scalar("cpus", cpus),
      reservations: [{ type: 2, role: "dev", principal: "p" }],
    });
    const bench = await it.recover(
      it.saved([], {
        resources: { committed: [reserved(1)], operations: [], target: undefined },
        frameworks: [],
      }),
    );
    expect(bench.agent.state.total.reserved("dev").cpus).to.equal(1);
    const other = new Restarted();
    const refused = await other.bench.agent
      .recover(
        other.saved([], { resources: { committed: [reserved(9)], operations: [], target: undefined } }),
        BOOT,
      )
      .then(() => "", String);
    expect(refused).to.match(/cannot take up what its earlier run left/);
  });

  it("removes in time what others left", async () => {
    const it = new Restarted();
    const week = 604_800_000;
    const leftovers = [
      { path: "/srv/slaves/old", age: week - 1000 },
      { path: "/srv/slaves/older", age: 2 * week },
    ];
    const bench = await it.recover(it.saved([], { leftovers, frameworks: [] }));
    await bench.settle();
    expect(bench.disk.paths("remove")).to.have.members(["/srv/slaves/old", "/srv/slaves/older"]);
  });
});
