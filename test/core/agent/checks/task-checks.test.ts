import { expect } from "chai";
import {
  type CheckedTask,
  type RunningChecks,
  TaskChecks,
} from "../../../../core/agent/checks/task-checks.js";
import {
  type CheckInfo,
  CheckInfo_Type as CheckType,
  type HealthCheck,
  HealthCheck_Type as HealthType,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import type { CheckOutcome, CheckTarget } from "../../../../sdk/contracts/checker.js";
import { MemoryLogger } from "../../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../../sdk/testing/virtual-clock.js";
import { type ScriptedCheck, ScriptedChecker } from "../support/scripted-checker.js";

const GOOD: CheckOutcome = { healthy: true, exitCode: 0 };
const BAD: CheckOutcome = { healthy: false, exitCode: 1, message: "it exited with 1" };

const TARGET: CheckTarget = { containerId: { value: "c" }, pid: undefined, run: async () => undefined };

class Bench {
  readonly clock = new VirtualClock();
  readonly checker = new ScriptedChecker(() => this.clock.monotonic());
  readonly told: string[] = [];
  readonly checks = new TaskChecks({
    checkers: new Map(["command", "http", "https", "tcp", "grpc"].map((kind) => [kind, this.checker])),
    clock: this.clock,
    random: new SeededRandom(3),
    logger: new MemoryLogger(),
  });
  running: RunningChecks | undefined;

  start(task: Partial<TaskInfo>, more: Partial<CheckedTask> = {}): ScriptedCheck {
    const info = { task_id: { value: "t" }, resources: [], limits: {}, ...task };
    const seconds = (): string => `${this.clock.monotonic() / 1000} s:`;
    this.running = this.checks.start({ info, age: 0, reported: [], ...more }, TARGET, {
      checked: ({ command, http, tcp }) =>
        this.told.push(`${seconds()} ${JSON.stringify({ ...command, ...http, ...tcp })}`),
      health: (healthy, kill) => {
        this.told.push(`${seconds()} ${healthy ? "healthy" : "unhealthy"}${kill ? ", kill" : ""}`);
        if (kill) this.running?.stop();
      },
    });
    return this.checker.last;
  }
}

const health = (more: Partial<HealthCheck> = {}): Partial<TaskInfo> => ({
  health_check: {
    type: HealthType.COMMAND,
    command: { value: "true", uris: [], arguments: [] },
    delay_seconds: 0,
    interval_seconds: 1,
    grace_period_seconds: 0,
    ...more,
  },
});

const check = (more: Partial<CheckInfo> = {}): Partial<TaskInfo> => ({
  check: {
    type: CheckType.COMMAND,
    command: { command: { value: "true", uris: [], arguments: [] } },
    delay_seconds: 0,
    interval_seconds: 1,
    ...more,
  },
});

const status = (healthy: boolean | undefined, more: Partial<TaskStatus> = {}): TaskStatus => ({
  task_id: { value: "t" },
  state: TaskState.TASK_RUNNING,
  ...(healthy !== undefined && {
    healthy,
    reason: TaskStatus_Reason.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED,
  }),
  ...more,
});

describe("Health checks of tasks", () => {
  const table: {
    readonly what: string;
    readonly check: Partial<HealthCheck>;
    /** Found second by second; the last one for ever. */
    readonly found: (CheckOutcome | undefined)[];
    readonly seconds: number;
    readonly told: string[];
  }[] = [
    {
      what: "tell the first success, and no further one",
      check: {},
      found: [GOOD],
      seconds: 5,
      told: ["0 s: healthy"],
    },
    {
      what: "tell every failure, and kill at the third in a row",
      check: {},
      found: [GOOD, BAD, BAD, GOOD, BAD, BAD, BAD],
      seconds: 20,
      told: [
        "0 s: healthy",
        "1 s: unhealthy",
        "2 s: unhealthy",
        "3 s: healthy",
        "4 s: unhealthy",
        "5 s: unhealthy",
        "6 s: unhealthy, kill",
      ],
    },
    {
      what: "kill at as many failures as the task says",
      check: { consecutive_failures: 1 },
      found: [GOOD, BAD],
      seconds: 5,
      told: ["0 s: healthy", "1 s: unhealthy, kill"],
    },
    {
      what: "kill at the first failure where that is 0, too",
      check: { consecutive_failures: 0 },
      found: [GOOD, BAD],
      seconds: 5,
      told: ["0 s: healthy", "1 s: unhealthy, kill"],
    },
    {
      what: "pass over failures in the grace period",
      check: { grace_period_seconds: 3 },
      found: [BAD],
      seconds: 10,
      told: ["4 s: unhealthy", "5 s: unhealthy", "6 s: unhealthy, kill"],
    },
    {
      what: "pass over them in less than a second, too",
      check: { grace_period_seconds: 0.5 },
      found: [BAD],
      seconds: 10,
      told: ["1 s: unhealthy", "2 s: unhealthy", "3 s: unhealthy, kill"],
    },
    {
      what: "end the grace period with the first success",
      check: { grace_period_seconds: 30 },
      found: [BAD, GOOD, BAD],
      seconds: 10,
      told: ["1 s: healthy", "2 s: unhealthy", "3 s: unhealthy", "4 s: unhealthy, kill"],
    },
    {
      what: "do not count what says nothing of the task",
      check: {},
      found: [BAD, undefined, BAD, undefined, BAD],
      seconds: 10,
      told: ["0 s: unhealthy", "2 s: unhealthy", "4 s: unhealthy, kill"],
    },
  ];
  for (const { what, check: given, found, seconds, told } of table) {
    it(what, async () => {
      const bench = new Bench();
      bench.start(health(given)).finds(...found);
      await bench.clock.advance(seconds * 1000);
      expect(bench.told).to.deep.equal(told);
    });
  }

  it("wait for 15 seconds, take 10 between checks and give each 20, where the task says nothing", async () => {
    const bench = new Bench();
    const made = bench.start({ health_check: { type: HealthType.TCP, tcp: { port: 80 } } });
    await bench.clock.advance(36_000);
    expect(made.times).to.deep.equal([15_000, 25_000, 35_000]);
    made.outcome = "hangs";
    await bench.clock.advance(35_000);
    // From 45 to 65 s, and the next at 75.
    expect(made.aborted).to.equal(1);
    expect(bench.told).to.deep.equal(["15 s: healthy", "65 s: unhealthy"]);
  });

  it("give a check all the time it takes where the time-out is zero", async () => {
    const bench = new Bench();
    const made = bench.start(health({ timeout_seconds: 0 }));
    made.outcome = "hangs";
    await bench.clock.advance(1_000_000);
    expect(made.aborted).to.equal(0);
    expect(bench.told).to.deep.equal([]);
  });

  it("take what a checker throws for a failure", async () => {
    const bench = new Bench();
    bench.start(health()).outcome = () => {
      throw new Error("no such program");
    };
    await bench.clock.advance(0);
    expect(bench.told).to.deep.equal(["0 s: unhealthy"]);
  });

  it("end what is under way when they are stopped, and say nothing of it", async () => {
    const bench = new Bench();
    const made = bench.start(health());
    made.outcome = "hangs";
    await bench.clock.advance(0);
    bench.running!.stop();
    await bench.clock.advance(100_000);
    expect(made.aborted).to.equal(1);
    expect(made.times).to.deep.equal([0]);
    expect(bench.told).to.deep.equal([]);
    expect(bench.clock.pendingTimers).to.equal(0);
  });

  it("ask the loopback address of the protocol, and the checker of the scheme", () => {
    const bench = new Bench();
    const http = { port: 8080, scheme: "https", path: "/ok", protocol: 2, statuses: [] };
    const made = bench.start({ health_check: { type: HealthType.HTTP, http } });
    expect(made.spec).to.deep.equal({ address: "::1", port: 8080, scheme: "https", path: "/ok" });
    expect(made.target).to.equal(TARGET);
  });

  describe("where the checker goes on by itself", () => {
    it("ask once, and then take what they are told", async () => {
      const bench = new Bench();
      const made = bench.start(health({ interval_seconds: 2, timeout_seconds: 7 }));
      made.repeats = true;
      await bench.clock.advance(10_000);
      expect(made.times).to.deep.equal([0]);
      expect(bench.clock.pendingTimers).to.equal(0);
      expect(made.repetition).to.include({ interval: 2000, timeout: 7000 });
      const { found, late } = made.repetition!;
      found(BAD);
      found(GOOD);
      found(BAD);
      late();
      found(BAD);
      expect(bench.told).to.deep.equal([
        "0 s: healthy",
        "10 s: unhealthy",
        "10 s: healthy",
        "10 s: unhealthy",
        "10 s: unhealthy",
        "10 s: unhealthy, kill",
      ]);
      expect(made.repetition).to.equal(undefined);
      found(GOOD);
      late();
      expect(bench.told).to.have.length(6);
    });

    it("ask again when it cannot go on, an interval later", async () => {
      const bench = new Bench();
      const made = bench.start(health());
      made.repeats = true;
      await bench.clock.advance(5000);
      made.repeats = false;
      made.repetition!.ended();
      await bench.clock.advance(2500);
      expect(made.times).to.deep.equal([0, 6000, 7000]);
      made.repeats = true;
      await bench.clock.advance(1000);
      bench.running!.stop();
      expect(made.repetition).to.equal(undefined);
      await bench.clock.advance(10_000);
      expect(made.times).to.deep.equal([0, 6000, 7000, 8000]);
    });
  });

  it("take what a checker throws at once for a failure, too", async () => {
    const bench = new Bench();
    const made = bench.start(health());
    made.run = () => {
      throw new Error("not even a promise");
    };
    await bench.clock.advance(1500);
    expect(bench.told).to.deep.equal(["0 s: unhealthy", "1 s: unhealthy"]);
  });

  describe("after a restart of the agent", () => {
    it("go on without another delay, within one interval", async () => {
      const bench = new Bench();
      const made = bench.start(health({ delay_seconds: 15, interval_seconds: 10 }), { age: 60_000 });
      await bench.clock.advance(10_000);
      expect(made.times).to.have.length(1);
      expect(made.times[0]).to.be.lessThan(10_000);
    });

    it("wait for what is left of the delay", async () => {
      const bench = new Bench();
      const made = bench.start(health({ delay_seconds: 15, interval_seconds: 1 }), { age: 5000 });
      await bench.clock.advance(10_500);
      expect(made.times[0]).to.equal(10_000);
    });

    it("count the grace period from the start of the task", async () => {
      const bench = new Bench();
      bench.start(health({ grace_period_seconds: 10 }), { age: 9000 }).finds(BAD);
      await bench.clock.advance(3000);
      expect(bench.told.length).to.be.greaterThan(0);
    });

    it("count the failures that were told before", async () => {
      const bench = new Bench();
      const reported = [status(undefined), status(true), status(false), status(false)];
      bench.start(health(), { age: 60_000, reported }).finds(BAD);
      await bench.clock.advance(5000);
      expect(bench.told).to.have.length(1);
      expect(bench.told[0]).to.match(/unhealthy, kill$/);
    });

    it("tell again neither that the task is healthy nor what a check found", async () => {
      const bench = new Bench();
      bench.start(health(), { age: 60_000, reported: [status(true)] }).finds(GOOD);
      bench.running!.stop();
      const reported = [
        status(undefined, { check_status: { type: CheckType.COMMAND, command: { exit_code: 1 } } }),
      ];
      bench.start(check(), { age: 60_000, reported }).finds(BAD);
      await bench.clock.advance(5000);
      expect(bench.told).to.deep.equal([]);
    });
  });
});

describe("General checks of tasks", () => {
  it("tell what they find when it changes, and an empty result when there is none", async () => {
    const bench = new Bench();
    const made = bench.start(check({ timeout_seconds: 0.5 }));
    made.finds(GOOD, GOOD, BAD, BAD, { healthy: false }, { healthy: false }, undefined, GOOD);
    await bench.clock.advance(8500);
    made.outcome = "hangs";
    await bench.clock.advance(1000);
    expect(bench.told).to.deep.equal([
      '0 s: {"exit_code":0}',
      '2 s: {"exit_code":1}',
      "4 s: {}",
      '7 s: {"exit_code":0}',
      "9.5 s: {}",
    ]);
  });

  it("tell nothing where the first one has no result", async () => {
    const bench = new Bench();
    bench.start(check()).finds({ healthy: false, message: "refused" });
    await bench.clock.advance(3000);
    expect(bench.told).to.deep.equal([]);
  });

  it("tell status codes and connections", async () => {
    const bench = new Bench();
    const times = { delay_seconds: 0 };
    bench
      .start({ check: { type: CheckType.HTTP, http: { port: 80 }, ...times } })
      .finds({ healthy: false, statusCode: 503 });
    bench
      .start({ check: { type: CheckType.TCP, tcp: { port: 80 }, ...times } })
      .finds({ healthy: false, connected: false });
    await bench.clock.advance(0);
    expect(bench.told).to.deep.equal(['0 s: {"status_code":503}', '0 s: {"succeeded":false}']);
  });

  it("stand beside health checks", async () => {
    const bench = new Bench();
    bench.start({ ...health(), ...check() });
    expect(bench.checker.prepared).to.have.length(2);
    for (const made of bench.checker.prepared) made.finds(GOOD);
    await bench.clock.advance(0);
    expect(bench.told).to.deep.equal(["0 s: healthy", '0 s: {"exit_code":0}']);
  });
});

describe("Checks that this agent cannot make", () => {
  it("are named", () => {
    const { checks } = new Bench();
    const http = { port: 80, scheme: "x-redis", statuses: [] };
    expect(checks.problem({ health_check: { type: HealthType.HTTP, http } })).to.equal(
      "Health checks of type 'x-redis' are not supported by this agent",
    );
    expect(checks.problem({ check: {} })).to.equal(
      "Checks of type 'UNKNOWN' are not supported by this agent",
    );
    expect(checks.problem({ ...health(), ...check() })).to.equal(undefined);
  });
});
