import { expect } from "chai";
import { executorLimits } from "../../../../core/agent/executors/executor-limits.js";
import { Call_Type } from "../../../../proto/gen/mesos/v1/executor/executor.js";
import { TaskStatus_Reason as Reason, TaskState } from "../../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../../sdk/resources/index.js";
import { AgentBench, executorCall, line, scalar } from "../support/agent-bench.js";

const { POSITIVE_INFINITY } = Number;
const sized = (cpus: number, mem: number, limits: Record<string, number> = {}) => ({
  resources: [scalar("cpus", cpus, "*"), scalar("mem", mem, "*")],
  limits: Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, { value }])),
});
const OWN = [scalar("cpus", 0.1, "*"), scalar("mem", 32, "*")];

/** An agent whose containerizer enforces limits. */
async function withLimits(options: Parameters<typeof AgentBench.registered>[0] = {}) {
  const bench = await AgentBench.registered(options);
  bench.containerizer.features.add("cpus-limit").add("mem-limit");
  return bench;
}

describe("limits of containers", () => {
  it("are there only where a task has one", () => {
    expect(executorLimits(OWN, [sized(1, 64)], { cfs: true })).to.deep.equal({});
    expect(executorLimits(OWN, [], { cfs: true })).to.deep.equal({});
  });

  it("add up the limits of tasks, the requests of those without, and the executor's own", () => {
    const tasks = [sized(1, 64, { cpus: 2, mem: 256 }), sized(1, 64)];
    expect(executorLimits(OWN, tasks, { cfs: true })).to.deep.equal({ cpus: 3.1, mem: 352 });
  });

  it("are infinite where one task's is", () => {
    const tasks = [sized(1, 64, { mem: POSITIVE_INFINITY }), sized(1, 64, { mem: 128 })];
    expect(executorLimits(OWN, tasks, { cfs: true })).to.deep.equal({ mem: POSITIVE_INFINITY });
  });

  it("of CPU do not reach tasks without one where CPU is not limited otherwise", () => {
    const tasks = [sized(1, 64, { cpus: 2 }), sized(1, 64)];
    expect(executorLimits(OWN, tasks, { cfs: false })).to.deep.equal({});
    expect(executorLimits(OWN, tasks.slice(0, 1), { cfs: false })).to.deep.equal({ cpus: 2.1 });
  });
});

describe("tasks with limits", () => {
  it("get containers with them, and show them", async () => {
    const bench = await withLimits();
    bench.run(bench.task("t1", { limits: { cpus: { value: 2 }, mem: { value: POSITIVE_INFINITY } } }));
    await bench.settle();
    expect(bench.containerizer.of("t1").request.limits).to.deep.equal({ cpus: 2.1, mem: POSITIVE_INFINITY });
    const [task] = bench.agent.state.frameworks.values().next().value!.running.get("t1")!.launched.values();
    expect(task!.limits).to.deep.equal({ cpus: { value: 2 }, mem: { value: POSITIVE_INFINITY } });
    expect(bench.master.heard("RegisterSlaveMessage")[0]!.agent_capabilities).to.deep.include({ type: 8 });
  });

  it("are written down with them", async () => {
    const bench = await withLimits();
    bench.run(bench.task("t1", { limits: { mem: { value: 128 } } }), bench.framework({ checkpoint: true }));
    await bench.settle();
    const record = bench.disk.operations.find(({ path }) => path.endsWith("/tasks/t1/task.info"));
    expect(record).to.have.property("op", "create");
    expect(bench.containerizer.of("t1").request.limits).to.deep.equal({ mem: 160 });
  });
});

describe("the container of a custom executor", () => {
  async function running() {
    const bench = await withLimits({ cgroupsEnableCfs: true });
    const run = (id: string, mem: number, first = false) =>
      bench.run(
        bench.task(id, { executor: bench.custom("e1"), limits: { mem: { value: mem } } }),
        bench.framework(),
        first,
      );
    run("t1", 100, true);
    await bench.settle();
    const executor = bench.subscribe("e1");
    await bench.settle();
    const finish = (taskId: string) =>
      bench.agent.calls.call(
        executorCall("e1", {
          type: Call_Type.UPDATE,
          update: {
            status: {
              task_id: { value: taskId },
              state: TaskState.TASK_FINISHED,
              source: 2,
              uuid: Buffer.from(taskId.padEnd(16, ".")),
            },
          },
        }),
      );
    return { bench, executor, run, finish };
  }

  it("has the limits of all its tasks, and of those that are left", async () => {
    const { bench, run, finish } = await running();
    run("t2", 200);
    await bench.settle();
    void finish("t1");
    await bench.settle();
    const container = bench.containerizer.of("e1");
    expect(container.request.limits).to.deep.equal({ mem: 100 });
    expect(container.limits.map(({ mem }) => mem)).to.deep.equal([100, 300, 200]);
    expect(container.sizes.map(({ mem }) => mem)).to.deep.equal([64, 128, 64]);
  });

  it("grows before the task reaches it, and shrinks before anyone hears of a task's end", async () => {
    const { bench, executor, run, finish } = await running();
    let grow = (): void => undefined;
    const held = () =>
      new Promise<void>((resolve) => {
        grow = resolve;
      });
    bench.containerizer.beforeUpdate = held;
    run("t2", 200);
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH"]);
    grow();
    await bench.settle();
    expect(executor.types).to.deep.equal(["SUBSCRIBED", "LAUNCH", "LAUNCH"]);
    void finish("t1");
    await bench.settle();
    expect(bench.updates).to.deep.equal([]);
    grow();
    expect((await bench.drain("t1")).map(line)).to.deep.equal(["TASK_FINISHED"]);
  });

  it("ends up at the last size however slow the changes are", async () => {
    const { bench, run, finish } = await running();
    const held: (() => void)[] = [];
    bench.containerizer.beforeUpdate = () => new Promise<void>((resolve) => held.push(resolve));
    run("t2", 200);
    run("t3", 300);
    await bench.settle();
    void finish("t1");
    await bench.settle();
    expect(held, "one change at a time").to.have.length(1);
    while (held.length > 0) {
      held.shift()!();
      await bench.settle();
    }
    expect(bench.containerizer.of("e1").limits.at(-1)).to.deep.equal({ mem: 500 });
  });

  it("takes its size again when the executor comes back", async () => {
    const { bench } = await running();
    const before = bench.containerizer.of("e1").sizes.length;
    bench.subscribe("e1", { unacknowledged_tasks: [bench.task("t1")] });
    await bench.settle();
    expect(bench.containerizer.of("e1").sizes).to.have.length(before + 1);
  });
});

describe("a container that crossed a limit", () => {
  const resources = [scalar("mem", 64, "*")];
  const termination = {
    exit: { code: undefined, signal: 9 },
    reason: Reason.REASON_CONTAINER_LIMITATION_MEMORY,
    message: "Memory limit exceeded: Requested: 64MB Maximum Used: 64MB",
    limitation: { resources },
  };
  const expected = `TASK_FAILED REASON_CONTAINER_LIMITATION_MEMORY: ${termination.message}`;

  it("fails its command task with the limit", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1"));
    await bench.settle();
    bench.containerizer.of("t1").terminate(termination);
    const last = (await bench.drain("t1")).at(-1)!;
    expect(line(last)).to.equal(expected);
    expect(Resources.of(last.limitation!.resources).mem).to.equal(64);
  });

  it("fails all tasks of its executor, delivered or not", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", { executor: bench.custom("e1") }), bench.framework(), true);
    await bench.settle();
    bench.subscribe("e1");
    await bench.settle();
    bench.containerizer.beforeUpdate = () => new Promise(() => undefined);
    bench.run(bench.task("t2", { executor: bench.custom("e1") }), bench.framework(), false);
    await bench.settle();
    bench.containerizer.of("e1").terminate(termination);
    for (const id of ["t1", "t2"]) {
      const last = (await bench.drain(id)).at(-1)!;
      expect(line(last)).to.equal(expected);
      expect(Resources.of(last.limitation!.resources).mem).to.equal(64);
    }
  });
});

describe("tasks with secrets in their environment", () => {
  it("run where the containerizer resolves them, which alone sees their values", async () => {
    const bench = await AgentBench.registered();
    bench.containerizer.features.add("secret-environment");
    const environment = {
      variables: [{ name: "TOKEN", type: 2, secret: { type: 2, value: { data: Buffer.from("s3cret") } } }],
    };
    bench.run(bench.task("t1", { command: { value: "true", uris: [], arguments: [], environment } }));
    await bench.settle();
    const { request } = bench.containerizer.of("t1");
    expect(request.environment).not.to.have.property("TOKEN");
    expect(request.command.environment!.variables[0]!.secret!.value!.data!.toString()).to.equal("s3cret");
  });
});
