import { expect } from "chai";
import {
  CheckInfo_Type as CheckType,
  HealthCheck_Type as HealthType,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { AgentBench, line } from "../support/agent-bench.js";
import { type ScriptedCheck, ScriptedChecker } from "../support/scripted-checker.js";

const COMMAND = { value: "check", uris: [], arguments: [] };
const HEALTH: Partial<TaskInfo> = {
  health_check: {
    type: HealthType.COMMAND,
    command: COMMAND,
    delay_seconds: 0,
    interval_seconds: 1,
    grace_period_seconds: 0,
    consecutive_failures: 2,
  },
};
const CHECK: Partial<TaskInfo> = {
  check: { type: CheckType.COMMAND, command: { command: COMMAND }, delay_seconds: 1, interval_seconds: 1 },
};
const KILLING = { type: 2 };

/** With what a check found. */
const checked = (status: TaskStatus): string =>
  [
    line(status),
    ...(status.healthy === undefined ? [] : [`healthy=${status.healthy}`]),
    ...(status.check_status === undefined ? [] : [JSON.stringify(status.check_status.command)]),
  ].join(" ");

async function running(task: Partial<TaskInfo>): Promise<{ bench: AgentBench; check: ScriptedCheck }> {
  const bench = await AgentBench.registered();
  const checker = new ScriptedChecker(() => bench.clock.monotonic());
  bench.checkers.set("command", checker);
  bench.run(bench.task("t1", task), bench.framework({ capabilities: [KILLING] }));
  await bench.settle();
  return { bench, check: checker.last };
}

describe("checked command tasks", () => {
  it("are killed for their health, and end as such", async () => {
    const { bench, check } = await running(HEALTH);
    check.finds({ healthy: false });
    await bench.clock.advance(2000);
    const container = bench.containerizer.of("t1");
    expect(container.signals).to.deep.equal([15]);
    container.terminate({ exit: { code: undefined, signal: 15 } });
    await bench.clock.advance(10_000);
    expect((await bench.drain("t1")).map(checked)).to.deep.equal([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true",
      "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false",
      "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false",
      "TASK_KILLING",
      "TASK_KILLED: Command terminated with signal Terminated healthy=false",
    ]);
    expect(check.times).to.have.length(3);
  });

  it("carry what was found from the start, and together with their health", async () => {
    const { bench, check } = await running({ ...HEALTH, ...CHECK });
    check.finds({ healthy: false, exitCode: 3 });
    await bench.clock.advance(1000);
    bench.kill("t1");
    await bench.settle();
    bench.containerizer.of("t1").exit(0);
    expect((await bench.drain("t1")).map(checked)).to.deep.equal([
      "TASK_STARTING {}",
      "TASK_RUNNING {}",
      "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true {}",
      'TASK_RUNNING REASON_TASK_CHECK_STATUS_UPDATED healthy=true {"exit_code":3}',
      "TASK_KILLING {}",
      "TASK_KILLED: Command exited with status 0 {}",
    ]);
  });

  it("are checked no more once they are killed, or over", async () => {
    const { bench, check } = await running(HEALTH);
    await bench.settle();
    bench.kill("t1");
    await bench.clock.advance(2000);
    expect(check.times).to.have.length(1);
    bench.containerizer.of("t1").exit(0);
    const statuses = await bench.drain("t1");
    expect(statuses.at(-1)).to.include({ state: TaskState.TASK_KILLED, healthy: undefined });
  });

  it("are asked from within their container, in one that is removed again", async () => {
    const { bench, check } = await running(HEALTH);
    const { containerId } = bench.containerizer.of("t1").request;
    expect(check.target.pid).to.equal(4242);
    const asked = check.target.run(COMMAND, new AbortController().signal);
    await bench.settle();
    const within = bench.containerizer.launched.at(-1)!;
    expect(within.request).to.include({ class: "debug", command: COMMAND });
    expect(within.request.containerId.parent).to.deep.equal(containerId);
    expect(within.request.containerId.value).to.match(/^check-/);
    within.exit(7);
    expect(await asked).to.deep.equal({ code: 7, signal: undefined });
    await bench.settle();
    expect(within.destroyed).to.equal(true);
    expect(bench.disk.paths("remove").some((path) => path.includes("/containers/check-"))).to.equal(true);
  });

  it("end the command of a check that takes too long", async () => {
    const { bench, check } = await running(HEALTH);
    const abort = new AbortController();
    const asked = check.target.run(COMMAND, abort.signal);
    await bench.settle();
    abort.abort();
    expect(await asked).to.equal(undefined);
    expect(bench.containerizer.launched.at(-1)!.destroyed).to.equal(true);
  });

  it("are not taken where nobody can check them", async () => {
    const bench = await AgentBench.registered();
    bench.run(bench.task("t1", HEALTH));
    expect((await bench.drain("t1")).map(line)).to.deep.equal([
      "TASK_ERROR REASON_TASK_INVALID: Health checks of type 'command' are not supported by this agent",
    ]);
  });
});
