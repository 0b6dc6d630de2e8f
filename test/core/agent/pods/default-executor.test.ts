import { expect } from "chai";
import type { CheckListener } from "../../../../core/agent/checks/task-checks.js";
import { DefaultExecutor } from "../../../../core/agent/pods/default-executor.js";
import type { EarlierTask } from "../../../../core/agent/pods/default-executor-host.js";
import {
  type ContainerID,
  HealthCheck_Type,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { Deferred } from "../../../../sdk/client/deferred.js";
import type { ContainerLaunch } from "../../../../sdk/contracts/agent-containers.js";
import type { ContainerTermination } from "../../../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../../sdk/testing/virtual-clock.js";
import { scalar } from "../support/agent-bench.js";

const POD = { value: "pod" };

/** A pod whose containers do what the test says, and whose agent takes every status unless it is told not to. */
class Pod {
  readonly clock = new VirtualClock();
  readonly launches: ContainerLaunch[] = [];
  readonly statuses: TaskStatus[] = [];
  readonly signals: string[] = [];
  readonly listeners = new Map<string, CheckListener>();
  readonly stoppedChecks: string[] = [];
  readonly sandboxes: string[] = [];
  readonly noted: string[] = [];
  exits = 0;
  takes = true;
  refuse = new Set<string>();
  /** Containers are up once this is. */
  up = Promise.resolve();
  private readonly ends = new Map<string, Deferred<ContainerTermination>>();
  private readonly taskOf = new Map<string, string>();
  readonly executor: DefaultExecutor;

  constructor({ reportsKilling = false } = {}) {
    this.executor = new DefaultExecutor({
      clock: this.clock,
      random: new SeededRandom(7),
      logger: new MemoryLogger(),
      executorId: "e",
      containerId: POD,
      ip: "10.1.2.3",
      reportsKilling,
      launch: async (launch) => {
        const task = launch.command!.value!;
        this.launches.push(launch);
        await this.up;
        if (this.refuse.has(task))
          throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: `no ${task}` });
        this.run(task, launch.containerId);
      },
      knows: ({ value }) => this.ends.has(value!),
      wait: async ({ value }) => {
        const end = this.ends.get(value!);
        if (end === undefined) throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", { detail: value! });
        return end.promise;
      },
      kill: async ({ value }, signal) => {
        this.signals.push(`${this.taskOf.get(value!)} ${signal}`);
        if (signal === 9) this.ends.get(value!)?.resolve({ exit: { code: undefined, signal } });
      },
      noteKill: async (taskId, { cause, grace, deadline }) => {
        this.noted.push(
          `${taskId} ${cause} within ${grace}${deadline === undefined ? "" : `, at ${deadline}`}`,
        );
      },
      check: ({ info: task }, listener) => {
        if (task.health_check === undefined && task.check === undefined) return undefined;
        const id = task.task_id!.value!;
        this.listeners.set(id, listener);
        return { stop: () => this.stoppedChecks.push(id) };
      },
      update: (status) => {
        this.statuses.push(status);
        if (this.takes) queueMicrotask(() => this.executor.acknowledged(status.uuid!));
      },
      sandboxMade: (taskId, { value }) => this.sandboxes.push(`${taskId} ${value}`),
      exit: () => {
        this.exits++;
        return true;
      },
    });
  }

  run(task: string, containerId: ContainerID): void {
    this.ends.set(containerId.value!, new Deferred());
    this.taskOf.set(containerId.value!, task);
  }

  end(task: string, termination: ContainerTermination): Promise<void> {
    const value = [...this.taskOf].find(([, of]) => of === task)![0];
    this.ends.get(value)!.resolve(termination);
    return this.settle();
  }

  exit(task: string, code: number): Promise<void> {
    return this.end(task, { exit: { code, signal: undefined } });
  }

  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  async launch(...tasks: TaskInfo[]): Promise<void> {
    this.executor.launchGroup({ tasks });
    await this.settle();
  }

  /** What was told since the last time, a line each. */
  private told = 0;
  lines(): string[] {
    const news = this.statuses.slice(this.told);
    this.told = this.statuses.length;
    return news.map(({ task_id, state, reason, message, healthy }) =>
      [
        task_id!.value,
        TaskState[state!]!.slice("TASK_".length),
        ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
        ...(healthy === undefined ? [] : [healthy ? "healthy" : "unhealthy"]),
        ...(message === undefined ? [] : [`"${message}"`]),
      ].join(" "),
    );
  }
}

const task = (id: string, more: Partial<TaskInfo> = {}): TaskInfo => ({
  name: id,
  task_id: { value: id },
  agent_id: { value: "s" },
  resources: [scalar("cpus", 1, "web")],
  limits: {},
  command: { value: id, uris: [], arguments: [] },
  ...more,
});

const KILLED = { cause: "killed", grace: undefined, deadline: undefined } as const;
const HEALTH: Partial<TaskInfo> = { health_check: { type: HealthCheck_Type.COMMAND } };
const second = (seconds: number): { nanoseconds: bigint } => ({ nanoseconds: BigInt(seconds * 1e9) });

describe("The built-in default executor", () => {
  it("launches all tasks of a group, each in a container within the pod's", async () => {
    const pod = new Pod();
    await pod.launch(task("a"), task("b"));
    expect(pod.lines()).to.deep.equal(["a STARTING", "b STARTING", "a RUNNING", "b RUNNING"]);
    expect(pod.launches.map(({ containerId }) => containerId.parent)).to.deep.equal([POD, POD]);
    const [first] = pod.launches;
    expect(first!.command!.environment!.variables).to.deep.equal([
      { name: "MESOS_CONTAINER_IP", value: "10.1.2.3" },
      { name: "MESOS_ALLOCATION_ROLE", value: "web" },
    ]);
    expect(pod.sandboxes[0]).to.equal(`a ${first!.containerId.value}`);
    expect(pod.statuses.every(({ container_status: at }) => at?.container_id?.parent === POD)).to.equal(true);
  });

  it("starts nothing before the agent has written the group down", async () => {
    const pod = new Pod();
    pod.takes = false;
    await pod.launch(task("a"), task("b"));
    expect(pod.launches).to.have.length(0);
    pod.executor.acknowledged(pod.statuses[0]!.uuid!);
    await pod.settle();
    expect(pod.launches).to.have.length(0);
    pod.executor.acknowledged(pod.statuses[1]!.uuid!);
    await pod.settle();
    expect(pod.launches).to.have.length(2);
  });

  it("goes on with the others when a task finishes, and exits after the last", async () => {
    const pod = new Pod();
    await pod.launch(task("a"), task("b"));
    pod.lines();
    await pod.exit("a", 0);
    expect(pod.lines()).to.deep.equal(['a FINISHED "Command exited with status 0"']);
    expect(pod.exits).to.equal(0);
    await pod.exit("b", 0);
    expect(pod.lines()).to.deep.equal(['b FINISHED "Command exited with status 0"']);
    expect(pod.exits).to.equal(1);
  });

  it("ends the group when one of its tasks fails, and leaves other groups alone", async () => {
    const pod = new Pod();
    await pod.launch(task("a"), task("b"));
    await pod.launch(task("c"));
    pod.lines();
    await pod.exit("a", 3);
    expect(pod.lines()).to.deep.equal(['a FAILED "Command exited with status 3"']);
    expect(pod.signals).to.deep.equal(["b 15"]);
    await pod.clock.advance(2999);
    expect(pod.signals).to.deep.equal(["b 15"]);
    await pod.clock.advance(1);
    expect(pod.signals).to.deep.equal(["b 15", "b 9"]);
    expect(pod.lines()).to.deep.equal(['b KILLED "Command terminated with signal Killed"']);
    expect(pod.exits).to.equal(0);
  });

  it("kills within the grace of the request, then of the task, and says so to those who want to know", async () => {
    const pod = new Pod({ reportsKilling: true });
    await pod.launch(
      task("a", { kill_policy: { grace_period: second(30) } }),
      task("b", { kill_policy: { grace_period: second(30) } }),
    );
    pod.lines();
    pod.executor.kill("b", { grace_period: second(1) });
    await pod.settle();
    expect(pod.lines()).to.deep.equal(["b KILLING"]);
    await pod.clock.advance(1000);
    expect(pod.lines()).to.deep.equal(['b KILLED "Command terminated with signal Killed"', "a KILLING"]);
    // Ended because of the group: with the time that Mesos gives then.
    await pod.clock.advance(3000);
    expect(pod.lines()).to.deep.equal(['a KILLED "Command terminated with signal Killed"']);
    expect(pod.signals).to.deep.equal(["b 15", "b 9", "a 15", "a 9"]);
  });

  it("tells a task that exits with 0 after a kill as killed", async () => {
    const pod = new Pod();
    await pod.launch(task("a"));
    pod.executor.kill("a", undefined);
    await pod.exit("a", 0);
    expect(pod.lines().at(-1)).to.equal('a KILLED "Command exited with status 0"');
  });

  it("kills a task that is killed while it is being launched", async () => {
    const pod = new Pod();
    pod.takes = false;
    pod.executor.launchGroup({ tasks: [task("a"), task("b")] });
    pod.executor.kill("a", undefined);
    pod.takes = true;
    for (const { uuid } of [...pod.statuses]) pod.executor.acknowledged(uuid!);
    await pod.settle();
    expect(pod.launches.map(({ command }) => command!.value)).to.deep.equal(["b"]);
    await pod.clock.advance(3000);
    expect(pod.lines()).to.deep.equal([
      "a STARTING",
      "b STARTING",
      "b RUNNING",
      "a KILLED",
      'b KILLED "Command terminated with signal Killed"',
    ]);
  });

  it("gives a task that was killed while its container was on its way its grace, and ends it then", async () => {
    const pod = new Pod();
    const up = new Deferred<void>();
    pod.up = up.promise;
    await pod.launch(task("a"));
    pod.executor.kill("a", undefined);
    await pod.clock.advance(10_000);
    up.resolve();
    await pod.clock.advance(2999);
    expect(pod.signals).to.deep.equal(["a 15"]);
    await pod.clock.advance(1);
    expect(pod.signals).to.deep.equal(["a 15", "a 9"]);
    expect(pod.lines()).to.deep.equal([
      "a STARTING",
      "a RUNNING",
      'a KILLED "Command terminated with signal Killed"',
    ]);
  });

  it("fails the group when one of its containers cannot be launched", async () => {
    const pod = new Pod();
    pod.refuse.add("b");
    await pod.launch(task("a"), task("b"));
    expect(pod.lines()).to.deep.equal([
      "a STARTING",
      "b STARTING",
      "a RUNNING",
      'b FAILED "Failed to launch container: no b"',
    ]);
    await pod.clock.advance(3000);
    expect(pod.lines()).to.deep.equal(['a KILLED "Command terminated with signal Killed"']);
    expect(pod.exits).to.equal(1);
  });

  it("writes down that a task is being killed, why, within what time, and, when it was asked to end, until when", async () => {
    const pod = new Pod();
    await pod.launch(task("a", { max_completion_time: second(5) }), task("b"));
    const end = pod.clock.now() + 5000;
    await pod.clock.advance(5000);
    expect(pod.noted).to.deep.equal([
      "a overtime within 0",
      `a overtime within 0, at ${end}`,
      "b killed within 3000",
      `b killed within 3000, at ${end + 3000}`,
    ]);
  });

  it("ends a task whose time is over", async () => {
    const pod = new Pod({ reportsKilling: true });
    await pod.launch(task("a", { max_completion_time: second(5) }));
    pod.lines();
    await pod.clock.advance(5000);
    expect(pod.lines()).to.deep.equal([
      'a FAILED REASON_MAX_COMPLETION_TIME_REACHED "Command terminated with signal Killed"',
    ]);
  });

  it("tells the limit that ended a task", async () => {
    const pod = new Pod();
    await pod.launch(task("a"));
    pod.lines();
    await pod.end("a", {
      exit: { code: undefined, signal: 9 },
      reason: TaskStatus_Reason.REASON_CONTAINER_LIMITATION_MEMORY,
      message: "Memory limit exceeded",
    });
    expect(pod.lines()).to.deep.equal([
      'a FAILED REASON_CONTAINER_LIMITATION_MEMORY "Command terminated with signal Killed: Memory limit exceeded"',
    ]);
  });

  it("tells what checks find, and kills a task that is not healthy", async () => {
    const pod = new Pod();
    await pod.launch(task("a", HEALTH), task("b"));
    pod.lines();
    const listener = pod.listeners.get("a")!;
    listener.health(true, false);
    listener.health(false, false);
    listener.health(false, true);
    await pod.settle();
    const HEALTH_CHECK = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED";
    expect(pod.lines()).to.deep.equal([
      `a RUNNING ${HEALTH_CHECK} healthy`,
      `a RUNNING ${HEALTH_CHECK} unhealthy`,
      `a RUNNING ${HEALTH_CHECK} unhealthy`,
    ]);
    expect(pod.stoppedChecks).to.deep.equal(["a"]);
    listener.health(true, false);
    await pod.clock.advance(3000);
    await pod.clock.advance(3000);
    expect(pod.lines()).to.deep.equal([
      'a KILLED unhealthy "Command terminated with signal Killed"',
      'b KILLED unhealthy "Command terminated with signal Killed"',
    ]);
  });

  it("shuts down: kills what runs, and leaves when the last end is acknowledged", async () => {
    const pod = new Pod();
    await pod.launch(task("a"), task("b"));
    pod.takes = false;
    pod.executor.shutdown();
    await pod.clock.advance(3000);
    expect(pod.signals).to.deep.equal(["a 15", "b 15", "a 9", "b 9"]);
    expect(pod.exits).to.equal(0);
    for (const { uuid } of pod.statuses) pod.executor.acknowledged(uuid!);
    expect(pod.exits).to.equal(1);
  });

  it("leaves at last also when an acknowledgement never comes", async () => {
    const pod = new Pod();
    await pod.launch(task("a"));
    pod.takes = false;
    await pod.exit("a", 0);
    await pod.clock.advance(59_999);
    expect(pod.exits).to.equal(0);
    await pod.clock.advance(1);
    expect(pod.exits).to.equal(1);
  });

  describe("after a restart of the agent", () => {
    /** What the first of two lives told, as it would be read back. */
    async function earlier(
      tasks: TaskInfo[],
      act: (pod: Pod) => Promise<void>,
    ): Promise<{ groups: EarlierTask[]; first: Pod }> {
      const first = new Pod({ reportsKilling: true });
      first.executor.launchGroup({ tasks });
      await act(first);
      first.executor.stop();
      const groups = tasks.map((info) => ({
        info,
        statuses: first.statuses.filter(({ task_id }) => task_id!.value === info.task_id!.value),
      }));
      return { groups, first };
    }

    function secondLife({ groups, first }: { groups: EarlierTask[]; first: Pod }): Pod {
      const pod = new Pod({ reportsKilling: true });
      for (const { containerId, command } of first.launches) pod.run(command!.value!, containerId);
      pod.executor.resumeGroup(groups);
      pod.executor.resumed();
      return pod;
    }

    it("launches a group of which nothing was begun", async () => {
      const tasks = [task("a"), task("b")];
      const pod = new Pod();
      pod.executor.resumeGroup(tasks.map((info) => ({ info, statuses: [] })));
      pod.executor.resumed();
      await pod.settle();
      expect(pod.lines()).to.deep.equal(["a STARTING", "b STARTING", "a RUNNING", "b RUNNING"]);
    });

    it("launches what had only been announced, in the containers that were announced", async () => {
      const before = await earlier([task("a"), task("b")], async () => undefined);
      const pod = secondLife(before);
      await pod.settle();
      expect(pod.lines()).to.deep.equal(["a RUNNING", "b RUNNING"]);
      expect(pod.launches.map(({ containerId }) => containerId)).to.deep.equal(
        before.groups.map(({ statuses }) => statuses[0]!.container_status!.container_id),
      );
    });

    it("announces first what it had no time to announce with the rest of its group", async () => {
      const before = await earlier([task("a"), task("b")], async () => undefined);
      const [a, b] = before.groups;
      const pod = secondLife({ ...before, groups: [a!, { ...b!, statuses: [] }] });
      await pod.settle();
      expect(pod.lines()).to.deep.equal(["b STARTING", "a RUNNING", "b RUNNING"]);
    });

    it("launches nothing twice that it had no time to tell about", async () => {
      const before = await earlier([task("a"), task("b")], async (pod) => {
        await pod.settle();
      });
      const groups = before.groups.map(({ info, statuses }) => ({ info, statuses: statuses.slice(0, 1) }));
      const pod = secondLife({ ...before, groups });
      await pod.settle();
      expect(pod.launches).to.deep.equal([]);
      expect(pod.lines()).to.deep.equal(["a RUNNING", "b RUNNING"]);
      await pod.exit("a", 0);
      expect(pod.lines()).to.deep.equal(['a FINISHED "Command exited with status 0"']);
    });

    it("follows what runs, for the rest of its time", async () => {
      const before = await earlier([task("a", { max_completion_time: second(10) })], async (pod) => {
        await pod.settle();
      });
      const pod = secondLife(before);
      await pod.clock.advance(9999);
      expect(pod.lines()).to.deep.equal([]);
      expect(pod.launches).to.deep.equal([]);
      await pod.clock.advance(1);
      expect(pod.lines()).to.deep.equal([
        'a FAILED REASON_MAX_COMPLETION_TIME_REACHED "Command terminated with signal Killed"',
      ]);
    });

    it("goes on killing", async () => {
      const before = await earlier([task("a")], async (pod) => {
        await pod.settle();
        pod.executor.kill("a", undefined);
      });
      const pod = secondLife(before);
      await pod.clock.advance(3000);
      expect(pod.signals).to.deep.equal(["a 15", "a 9"]);
      expect(pod.lines()).to.deep.equal(['a KILLED "Command terminated with signal Killed"']);
      expect(pod.exits).to.equal(1);
    });

    it("does not ask a second time, and gives what is left of the time", async () => {
      const policy = { grace_period: second(30) };
      const before = await earlier([task("a", { kill_policy: policy })], async (pod) => {
        await pod.settle();
        pod.executor.kill("a", undefined);
      });
      const kill = {
        cause: "killed",
        grace: 20_000,
        deadline: before.first.clock.now() + 10_000,
      } as const;
      const pod = secondLife({ ...before, groups: before.groups.map((one) => ({ ...one, kill })) });
      await pod.clock.advance(9999);
      expect(pod.signals).to.deep.equal([]);
      await pod.clock.advance(1);
      expect(pod.signals).to.deep.equal(["a 9"]);
    });

    it("tells a task as killed that was being killed, though nobody had been told so", async () => {
      const before = await earlier([task("a")], async (pod) => {
        await pod.settle();
      });
      const groups = before.groups.map((one) => ({ ...one, kill: KILLED }));
      const pod = secondLife({ ...before, groups });
      await pod.exit("a", 0);
      expect(pod.lines()).to.deep.equal(["a KILLING", 'a KILLED "Command exited with status 0"']);
    });

    it("does not tell again that a task is being killed that was said to run after that: it was killed while it started", async () => {
      const before = await earlier([task("a")], (pod) => pod.settle());
      const groups = before.groups.map(({ info, statuses: [starting, running] }) => {
        const killing = { ...starting!, state: TaskState.TASK_KILLING };
        return { info, statuses: [starting!, killing, running!], kill: KILLED };
      });
      const pod = secondLife({ ...before, groups });
      await pod.exit("a", 0);
      expect(pod.lines()).to.deep.equal(['a KILLED "Command exited with status 0"']);
    });

    it("launches nothing any more that was killed before it ran", async () => {
      const before = await earlier([task("a")], async () => undefined);
      const groups = before.groups.map((one) => ({ ...one, kill: KILLED }));
      const pod = secondLife({ ...before, groups });
      await pod.settle();
      expect(pod.launches).to.deep.equal([]);
      expect(pod.lines()).to.deep.equal(["a KILLING", "a KILLED"]);
    });

    it("ends the rest of a group of which a task had failed", async () => {
      const before = await earlier([task("a"), task("b")], async (pod) => {
        await pod.settle();
        await pod.exit("a", 1);
      });
      // The agent died before it could signal, or tell that it did.
      const groups = before.groups.map(({ info, statuses }) => ({
        info,
        statuses: statuses.filter(({ state }) => state !== TaskState.TASK_KILLING),
      }));
      const pod = secondLife({ ...before, groups });
      await pod.clock.advance(3000);
      expect(pod.lines()).to.deep.equal(["b KILLING", 'b KILLED "Command terminated with signal Killed"']);
    });

    it("leaves at once when all was over", async () => {
      const before = await earlier([task("a")], async (pod) => {
        await pod.settle();
        await pod.exit("a", 0);
      });
      const pod = secondLife(before);
      expect(pod.exits).to.equal(1);
      expect(pod.lines()).to.deep.equal([]);
    });
  });
});
