import { expect } from "chai";
import type { KillCause, KillRecord } from "../../../../core/agent/tasks/kill-record.js";
import { type Call, Call_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import { ExecutorInfo_Type, TaskState } from "../../../../proto/gen/mesos/v1/mesos.js";
import { Deferred } from "../../../../sdk/client/deferred.js";
import { AGENT_ID, AgentBench, executorCall, FRAMEWORK_ID, line, scalar } from "../support/agent-bench.js";
import { NEXT_BOOT, RecordedState } from "../support/recorded-state.js";
import { BOOT, Restarted } from "../support/restarted.js";

const { TASK_STARTING, TASK_RUNNING, TASK_FINISHED, TASK_FAILED } = TaskState;

const killRecord = (cause: KillCause, more: Partial<KillRecord> = {}): KillRecord => ({
  cause,
  grace: undefined,
  deadline: undefined,
  ...more,
});

describe("an agent that comes back", () => {
  it("keeps its id, and tells the master what still runs", async () => {
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

  it("does so on a full disk, too", async () => {
    const it = new Restarted();
    it.bench.disk.failing = () => true;
    const bench = await it.recover(
      it.saved([it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING]))]),
    );
    await it.register();
    const [message] = bench.master.heard("ReregisterSlaveMessage");
    expect(message!.tasks.map(({ task_id }) => task_id!.value)).to.deep.equal(["t1"]);
  });

  it("reports the end of a task that ended in the meantime, and can kill one that still runs", async () => {
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

  it("reports what it had no time to report about a task that had just started", async () => {
    const it = new Restarted();
    const bench = await it.recover(it.saved([it.command("t1", it.task("t1", []))]));
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("reports none of that twice", async () => {
    const it = new Restarted();
    const bench = await it.recover(it.saved([it.command("t1", it.task("t1", [TASK_STARTING]))]));
    await it.register();
    expect((await bench.drain("t1")).map(({ state }) => state)).to.deep.equal([TASK_RUNNING]);
  });

  it("gives up tasks that were recorded but never started", async () => {
    const it = new Restarted();
    it.bench.containerizer.recover = async () => undefined;
    const bench = await it.recover(it.saved([it.command("t1", it.task("t1", []))]));
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_LOST REASON_AGENT_RESTARTED: Task launched during agent restart",
    ]);
  });

  for (const kind of ["command", "custom"] as const) {
    it(`takes no executor for ended whose process runs in a container of another agent (${kind})`, async () => {
      const strange = (it: Restarted) => {
        it.bench.containerizer.recover = async () => undefined;
        return it.saved([{ ...it[kind]("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING])), process: 4711 }]);
      };
      const it = new Restarted();
      const refused = await it.recover(strange(it)).then(() => "recovered", String);
      expect(refused).to.match(/process 4711 of executor 't1' of framework .* is not of this agent's making/);
      expect(refused).to.match(/drain it.*end these processes.*--strict=false/);
      expect(it.bench.updates).to.deep.equal([]);

      const lax = new Restarted({ strict: false });
      const bench = await lax.recover(strange(lax));
      await lax.register();
      expect((await bench.drain("t1")).map(line)).to.deep.equal([
        "TASK_FAILED REASON_EXECUTOR_TERMINATED: The container ended while the agent was away, and how is not known",
      ]);
    });
  }

  it("tells containerizers which processes still run", async () => {
    const it = new Restarted();
    const bench = await it.recover(
      it.saved([{ ...it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING])), process: 4711 }]),
    );
    expect(bench.containerizer.recovered.map(({ process }) => process)).to.deep.equal([4711]);
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

  it("makes a task's time limit no longer than it was where the clock was set back meanwhile", async () => {
    const it = new Restarted();
    const max_completion_time = { nanoseconds: 60_000_000_000n };
    const task = {
      ...it.task("t1", [TASK_STARTING, TASK_RUNNING]),
      definition: it.bench.task("t1", { max_completion_time }),
    };
    it.bench.clock.jump(-3_600_000);
    const bench = await it.recover(it.saved([it.command("t1", task)]));
    await it.register();
    await bench.clock.advance(60_000);
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
    const executors = ["e1", "e2"].map((id) => it.custom(id, it.task(`of-${id}`, [TASK_RUNNING])));
    const recovered = it.bench.agent.recover(it.saved(executors), BOOT);
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

  it("waits no longer than until the last custom executor is back", async () => {
    const it = new Restarted();
    const executors = ["e1", "e2"].map((id) => it.custom(id, it.task(`of-${id}`, [TASK_RUNNING])));
    let over = false;
    const recovered = it.bench.agent.recover(it.saved(executors), BOOT).then(() => {
      over = true;
    });
    await it.bench.clock.advance(500);
    it.bench.subscribe("e1");
    await it.bench.settle();
    expect(over).to.equal(false);
    it.bench.subscribe("e2");
    await it.bench.settle();
    expect(over).to.equal(true);
    await recovered;
    it.bench.agent.start();
    await it.bench.clock.advance(10_000);
    for (const id of ["e1", "e2"]) expect(it.bench.containerizer.of(id).destroyed).to.equal(false);
  });

  it("waits for none whose container is over", async () => {
    const it = new Restarted();
    let over = false;
    const recovered = it.bench.agent
      .recover(it.saved([it.custom("e1", it.task("of-e1", [TASK_RUNNING]))]), BOOT)
      .then(() => {
        over = true;
      });
    await it.bench.settle();
    expect(over).to.equal(false);
    it.bench.containerizer.of("e1").exit(3);
    await it.bench.settle();
    expect(over).to.equal(true);
    await recovered;
  });

  it("waits for Mesos's own executors of command tasks and pods as for any", async () => {
    const it = new Restarted();
    const of = (id: string) => it.task(id, [TASK_RUNNING]);
    const program = { shell: false, value: "/usr/libexec/mesos/mesos-executor", arguments: [], uris: [] };
    const command = it.command("t1", of("t1"));
    const pod = { ...it.bench.custom("pod")!, type: ExecutorInfo_Type.DEFAULT, command: program };
    const recovered = it.bench.agent.recover(
      it.saved([
        { ...command, info: { ...command.info, command: program } },
        { ...it.custom("pod", of("t2")), info: pod },
      ]),
      BOOT,
    );
    await it.bench.settle();
    const executors = ["t1", "pod"].map((id) => it.bench.subscribe(id));
    await recovered;
    it.bench.agent.start();
    await it.register();
    for (const { types } of executors) expect(types).to.deep.equal(["SUBSCRIBED"]);
    const [report] = it.bench.master.heard("ReregisterSlaveMessage");
    expect(report!.executor_infos.map(({ executor_id }) => executor_id!.value)).to.deep.equal(["pod"]);
  });

  it("is there for custom executors when it has found their containers, and not before", async () => {
    const it = new Restarted();
    const { containerizer, agent } = it.bench;
    const found = new Deferred<void>();
    const recover = containerizer.recover.bind(containerizer);
    containerizer.recover = (containers) => found.promise.then(() => recover(containers));
    const recovered = agent.recover(it.saved([it.custom("e1", it.task("t1", [TASK_RUNNING]))]), BOOT);
    await it.bench.settle();
    expect(agent.calls.ready()).to.equal(false);
    found.resolve();
    await it.bench.settle();
    expect([agent.calls.ready(), agent.state.phase]).to.deep.equal([true, "recovering"]);
    expect(it.bench.subscribe("e1").types).to.deep.equal(["SUBSCRIBED"]);
    await recovered;
  });

  it("takes updates of those that are back while it waits for others, and no other calls", async () => {
    const it = new Restarted();
    const { agent } = it.bench;
    const executors = ["e1", "e2"].map((id) => it.custom(id, it.task(`of-${id}`, [TASK_RUNNING])));
    const recovered = agent.recover(it.saved(executors), BOOT);
    await it.bench.settle();
    const connection = it.bench.subscribe("e1");
    const say = (executorId: string, call: Partial<Call>): void =>
      void agent.calls.call(executorCall(executorId, call));
    const end = (id: string): Partial<Call> => ({
      type: Call_Type.UPDATE,
      update: { status: { task_id: { value: id }, state: TASK_FINISHED, uuid: Buffer.alloc(16, 9) } },
    });
    say("e1", end("of-e1"));
    await it.bench.settle();
    expect(connection.types).to.include("ACKNOWLEDGED");
    const recovering = "Agent has not finished recovery";
    expect(() => say("e1", { type: Call_Type.MESSAGE })).to.throw(recovering);
    expect(() => say("e2", end("of-e2")), "is not back").to.throw(recovering);
    await it.bench.clock.advance(2000);
    await recovered;
    agent.start();
    await it.register();
    expect((await it.bench.drain("of-e1")).map(line)).to.deep.equal(["TASK_FINISHED"]);
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

  it("becomes a new agent if that happened together with a reboot", async () => {
    const it = new Restarted();
    const before = { ...it.bench.agent.state.info, id: { value: AGENT_ID }, hostname: "old" };
    const bench = await it.recover(it.saved([], { info: before, frameworks: [] }), "boot-2");
    bench.master.lead();
    await bench.clock.advance(1000);
    expect(bench.master.heard("RegisterSlaveMessage")).not.to.have.length(0);
    expect(bench.master.heard("ReregisterSlaveMessage")).to.have.length(0);
  });

  it("remains a new agent if it restarts before any master knew it", async () => {
    const recorded = await RecordedState.record();
    try {
      for (const _ of ["after the reboot", "again"]) {
        const { agent } = recorded.agent();
        agent.state.info = { ...agent.state.info, resources: [scalar("cpus", 1)] };
        await agent.recover(await recorded.read({ boot: NEXT_BOOT }), NEXT_BOOT);
        expect(agent.state.info.id).to.equal(undefined);
        await agent.stop();
      }
    } finally {
      recorded.remove();
    }
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

  it("removes what other agents left behind, in time", async () => {
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

  it("does not mistake the acknowledgement of an older update for the one that it waits for", async () => {
    const it = new Restarted();
    const task = it.task("t1", [TASK_STARTING, TASK_RUNNING], 1);
    const bench = await it.recover(it.saved([it.command("t1", task)]));
    await it.register();
    bench.acknowledge(task.updates[0]!);
    bench.master.say("PingSlaveMessage", { connected: true });
    await bench.clock.advance(10_000);
    expect(bench.updates.map(({ status }) => status!.state)).to.deep.equal([TASK_RUNNING, TASK_RUNNING]);
    bench.acknowledge(task.updates[1]!);
    bench.acknowledge(task.updates[0]!);
    await bench.clock.advance(60_000);
    expect(bench.updates).to.have.length(2);
  });

  it("takes from an executor what it had not written down, and nothing twice", async () => {
    const it = new Restarted();
    const task = it.task("t1", [TASK_STARTING], 0);
    const executor = it.custom("e1", { ...task, task: { ...task.task, executor_id: { value: "e1" } } });
    const recovered = it.bench.agent.recover(it.saved([executor]), BOOT);
    await it.bench.settle();
    const [told] = task.updates;
    const later = { ...told!.status!, state: TASK_RUNNING, uuid: Buffer.alloc(16, 8) };
    const connection = it.bench.subscribe("e1", {
      unacknowledged_tasks: [],
      unacknowledged_updates: [{ status: told!.status }, { status: later }],
    });
    await it.bench.clock.advance(2000);
    await recovered;
    it.bench.agent.start();
    await it.register();
    const acknowledged = connection.events.flatMap(({ acknowledged: one }) =>
      one === undefined ? [] : [one],
    );
    expect(acknowledged.map(({ uuid }) => uuid!.toString("hex"))).to.deep.equal(
      [told!.uuid, later.uuid].map((uuid) => uuid!.toString("hex")),
    );
    expect((await it.bench.drain("t1")).map(line)).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
  });

  it("tells the end of tasks until it is acknowledged, also where nothing else is left of their executor", async () => {
    const it = new Restarted();
    it.bench.containerizer.recover = async () => undefined;
    const bench = await it.recover(
      it.saved([it.command("t1", it.task("t1", [TASK_STARTING, TASK_RUNNING, TASK_FINISHED], 2))]),
    );
    await it.register();
    expect(bench.updates.map(({ status }) => status!.state)).to.deep.equal([TASK_FINISHED]);
    expect(bench.agent.state.frameworks.size).to.equal(1);
    await bench.drain("t1");
    expect(bench.updates).to.have.length(1);
    expect(bench.agent.state.frameworks.size).to.equal(0);
  });

  it("lets nothing count that was written behind the end of a task: no master takes it with a task that runs in no executor", async () => {
    for (const behind of [TASK_RUNNING, TASK_FAILED]) {
      for (const acknowledged of [1, 2, 3]) {
        const it = new Restarted();
        it.bench.containerizer.recover = async () => undefined;
        const task = it.task("t1", [TASK_RUNNING, TASK_FINISHED, behind], acknowledged);
        const executor = it.custom("e1", { ...task, task: { ...task.task, executor_id: { value: "e1" } } });
        const bench = await it.recover(it.saved([executor]));
        await it.register();
        const [report] = bench.master.heard("ReregisterSlaveMessage");
        const [told, sent] = acknowledged === 1 ? [[["t1", TASK_FINISHED]], ["TASK_FINISHED"]] : [[], []];
        expect(report!.tasks.map(({ task_id, state }) => [task_id!.value, state])).to.deep.equal(told);
        expect((await bench.drain("t1")).map(line)).to.deep.equal(sent);
        expect(bench.agent.state.frameworks.size, "nothing waits for anything").to.equal(0);
      }
    }
  });

  it("appends after the last complete record of its updates", async () => {
    const it = new Restarted();
    const task = { ...it.task("t1", [TASK_STARTING, TASK_RUNNING], 1), cutAt: 70 };
    const bench = await it.recover(it.saved([it.command("t1", task)]));
    await it.register();
    await bench.drain("t1");
    const path = `/srv/meta/slaves/${AGENT_ID}/frameworks/${FRAMEWORK_ID}/executors/t1/runs/c-t1/tasks/t1/task.updates`;
    const changes = bench.disk.operations.filter((operation) => operation.path === path);
    expect(changes.map(({ op }) => op)).to.deep.equal(["truncate", "append"]);
    expect(changes[0]).to.deep.include({ size: 70 });
  });

  it("knows that a task was being killed, although nobody was told, and goes on with that", async () => {
    for (const [cause, end] of [
      ["killed", "TASK_KILLED: Command terminated with signal Terminated"],
      [
        "overtime",
        "TASK_FAILED REASON_MAX_COMPLETION_TIME_REACHED: Command terminated with signal Terminated",
      ],
    ] as const) {
      const it = new Restarted();
      const task = { ...it.task("t1", [TASK_STARTING, TASK_RUNNING]), kill: killRecord(cause) };
      const bench = await it.recover(it.saved([it.command("t1", task)]));
      await it.register();
      expect(bench.containerizer.of("t1").signals[0]).to.equal(15);
      // Recovered as one that had ended by then.
      const other = new Restarted();
      other.bench.containerizer.signal = async () => false;
      await other.recover(other.saved([other.command("t1", task)]));
      other.bench.containerizer.of("t1").terminate({ exit: { code: undefined, signal: 15 } });
      await other.register();
      expect((await other.bench.drain("t1")).map(line)).to.deep.equal([end]);
    }
  });

  it("does not ask a task a second time to end, and gives it what is left of its time", async () => {
    const it = new Restarted();
    const kill = killRecord("killed", { grace: 20_000, deadline: it.bench.clock.now() + 10_000 });
    const task = { ...it.task("t1", [TASK_STARTING, TASK_RUNNING]), kill };
    const recovered = it.bench.agent.recover(it.saved([it.command("t1", task)]), BOOT);
    await it.bench.clock.advance(9999);
    await recovered;
    expect(it.bench.containerizer.of("t1").signals).to.deep.equal([]);
    await it.bench.clock.advance(1);
    expect(it.bench.containerizer.of("t1").signals).to.deep.equal([9]);
  });

  it("gives a task that may not have been asked to end its whole grace, however long the agent was away", async () => {
    const it = new Restarted();
    const task = {
      ...it.task("t1", [TASK_STARTING, TASK_RUNNING]),
      kill: killRecord("killed", { grace: 10_000 }),
    };
    const recovered = it.bench.agent.recover(it.saved([it.command("t1", task)]), BOOT);
    await it.bench.clock.advance(9999);
    await recovered;
    expect(it.bench.containerizer.of("t1").signals).to.deep.equal([15]);
    await it.bench.clock.advance(1);
    expect(it.bench.containerizer.of("t1").signals).to.deep.equal([15, 9]);
  });

  it("knows that a task was killed before it ran, though it came to run then, and was ended", async () => {
    const it = new Restarted();
    const bench = await it.recover(
      it.saved([it.command("t1", { ...it.task("t1", []), kill: killRecord("killed") })]),
    );
    await it.register();
    expect(bench.containerizer.of("t1").destroyed).to.equal(true);
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH: Killed before delivery to the executor",
    ]);
  });

  it("knows that also of one whose container had been ended and put away", async () => {
    const it = new Restarted();
    it.bench.containerizer.recover = async () => undefined;
    const task = { ...it.task("t1", []), kill: killRecord("killed") };
    const bench = await it.recover(it.saved([it.command("t1", task)]));
    await it.register();
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH: Killed before delivery to the executor",
    ]);
  });

  it("ends a command task of which no record is left", async () => {
    const it = new Restarted();
    const nothing = it.command("t1", it.task("t1", []), { tasks: [] });
    const bench = await it.recover(it.saved([nothing]));
    await bench.settle();
    expect(bench.containerizer.of("t1").destroyed).to.equal(true);
    expect(bench.agent.state.frameworks.size).to.equal(0);
  });

  it("counts what was skipped", async () => {
    const it = new Restarted();
    const bench = await it.recover(it.saved([], { frameworks: [], problems: ["one", "another"] }));
    expect((await bench.metrics.snapshot()).get("slave/recovery_errors")).to.equal(2);
  });

  it("tells executors how long to wait for it", async () => {
    const bench = await AgentBench.registered({ recoveryTimeout: 60_000 });
    bench.run(
      bench.task("t1", { executor: bench.custom("e1") }),
      bench.framework({ checkpoint: true }),
      true,
    );
    await bench.settle();
    const { environment } = bench.containerizer.of("e1").request;
    expect([environment.MESOS_CHECKPOINT, environment.MESOS_RECOVERY_TIMEOUT]).to.deep.equal(["1", "1mins"]);
  });
});
