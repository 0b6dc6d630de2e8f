import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CheckInfo_Type, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { endCgroups } from "../support/end-cgroups.js";
import { PodRunner } from "../support/pod-runner.js";
import { agentsBack } from "../support/runner.js";

interface AgentState {
  readonly frameworks: readonly {
    readonly executors: readonly {
      readonly executor_id?: string;
      readonly id: string;
      readonly directory: string;
    }[];
  }[];
}

const CGROUPS = `tepui-pods-${process.pid}`;

/** Of the executor of that id, while it runs. */
async function sandboxOf(agent: Daemon, executorId: string): Promise<string> {
  const state = (await getJson(agent, "/state")) as AgentState;
  const executors = state.frameworks.flatMap((framework) => framework.executors);
  return executors.find(({ id }) => id === executorId)!.directory;
}

for (const [kind, flags] of [
  ["of plain processes", ["--launcher=posix", "--isolation=posix/cpu,posix/mem"]],
  ["isolated", ["--launcher=linux", "--isolation=filesystem/linux,namespaces/pid,cgroups/cpu,cgroups/mem"]],
] as const) {
  describe(`Pods ${kind}`, function () {
    this.timeout(60_000);
    let cluster: Cluster;
    let runner: PodRunner;
    let agent: Daemon;

    before(async function () {
      if (kind === "isolated" && process.geteuid?.() !== 0) this.skip();
      const own = kind === "isolated" ? [`--cgroups_root=${CGROUPS}`] : [];
      cluster = await startCluster({ agentFlags: [...flags, ...own] });
      agent = cluster.agents[0]!;
      runner = new PodRunner(cluster);
      await runner.start();
    });

    after(async () => {
      await runner?.stop();
      await cluster?.stop();
      await endCgroups(CGROUPS);
    });

    async function restart(): Promise<void> {
      await agent.kill();
      agent = await agent.restart();
      (cluster.agents as Daemon[])[0] = agent;
    }

    it("start together, share their sandbox, and end with the one that fails", async () => {
      runner.run("three", [
        { id: "waits", command: "echo here > seen; exec sleep 1000" },
        { id: "finishes", command: "exit 0" },
        { id: "fails", command: "until [ -e ../../go ]; do sleep 0.05; done; exit 3" },
      ]);
      await runner.reaches("finishes", TaskState.TASK_FINISHED);
      await runner.reaches("waits", TaskState.TASK_RUNNING);
      const sandbox = await sandboxOf(agent, "three");
      await until(() => exists(`${sandbox}/tasks/waits/seen`));
      await writeFile(`${sandbox}/go`, "");
      await runner.reaches("waits", TaskState.TASK_KILLED);
      expect(runner.of("finishes")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        'TASK_FINISHED "Command exited with status 0"',
      ]);
      expect(runner.of("fails")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        'TASK_FAILED "Command exited with status 3"',
      ]);
      expect(runner.of("waits")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        'TASK_KILLED "Command terminated with signal Terminated"',
      ]);
      await until(async () => ((await getJson(agent, "/containers")) as unknown[]).length === 0);
    });

    it("go on while the agent is away, and tell truly how they ended", async () => {
      runner.run("survivor", [
        { id: "quick", command: "until [ -e ../../gone ]; do sleep 0.05; done; exit 7" },
        { id: "steady", command: "echo $$ > pid; exec sleep 1000" },
      ]);
      await runner.reaches("steady", TaskState.TASK_RUNNING);
      const sandbox = await sandboxOf(agent, "survivor");
      await until(() => exists(`${sandbox}/tasks/steady/pid`));
      await agent.kill();
      await writeFile(`${sandbox}/gone`, "");
      agent = await agent.restart();
      (cluster.agents as Daemon[])[0] = agent;
      await runner.reaches("quick", TaskState.TASK_FAILED);
      expect(runner.of("quick").at(-1)).to.equal('TASK_FAILED "Command exited with status 7"');
      await runner.reaches("steady", TaskState.TASK_KILLED);
      await until(async () => ((await getJson(agent, "/containers")) as unknown[]).length === 0);
    });

    it("are checked on, within their tasks' containers, when the agent was killed", async () => {
      const directory = await mkdtemp(join(tmpdir(), "tepui-checked-"));
      const code = join(directory, "code");
      await writeFile(code, "5");
      const check = {
        type: CheckInfo_Type.COMMAND,
        command: { command: { value: `test "$OF" = noted && exit "$(cat ${code})"` } },
        delay_seconds: 0,
        interval_seconds: 0.1,
      };
      const environment = { variables: [{ name: "OF", value: "noted" }] };
      const command = { value: "exec sleep 1000", environment };
      runner.run("checked", [{ id: "noted", command: "", more: { command, check } }]);
      const found = (exit: number): string =>
        `TASK_RUNNING REASON_TASK_CHECK_STATUS_UPDATED {"exit_code":${exit}}`;
      await until(() => runner.of("noted").includes(found(5)));
      await agent.kill();
      await writeFile(code, "6");
      agent = await agent.restart();
      (cluster.agents as Daemon[])[0] = agent;
      await until(() => runner.of("noted").includes(found(6)));
      await runner.kill("noted");
      await runner.reaches("noted", TaskState.TASK_KILLED);
      expect(runner.of("noted")).to.deep.equal([
        "TASK_STARTING {}",
        "TASK_RUNNING {}",
        found(5),
        found(6),
        'TASK_KILLED {} "Command terminated with signal Terminated"',
      ]);
      await rm(directory, { recursive: true });
    });

    it("are asked to end once, also by an agent that is killed while they do", async () => {
      const count =
        "n=0; trap 'n=$((n + 1))' TERM; echo > ready; until [ -e end ]; do sleep 0.05; done; exit $n";
      const grace_period = { nanoseconds: 60_000_000_000n };
      runner.run("once", [{ id: "slow", command: count, more: { kill_policy: { grace_period } } }]);
      await runner.reaches("slow", TaskState.TASK_RUNNING);
      const sandbox = await sandboxOf(agent, "once");
      await until(() => exists(`${sandbox}/tasks/slow/ready`));
      await runner.kill("slow");
      const record = join(sandbox.replace("/slaves/", "/meta/slaves/"), "tasks", "slow", "task.kill");
      await until(() => exists(record) && readFileSync(record, "utf8").includes("deadline="));
      await restart();
      await writeFile(`${sandbox}/tasks/slow/end`, "");
      await runner.reaches("slow", TaskState.TASK_KILLED);
      expect(runner.of("slow").at(-1)).to.equal('TASK_KILLED "Command exited with status 1"');
    });

    it("can be killed after the agent was", async () => {
      const deaf = "trap '' TERM; echo > ready; while :; do sleep 1; done";
      runner.run("late", [{ id: "stays", command: deaf }]);
      await runner.reaches("stays", TaskState.TASK_RUNNING);
      const sandbox = await sandboxOf(agent, "late");
      await until(() => exists(`${sandbox}/tasks/stays/ready`));
      await restart();
      await agentsBack(cluster.master);
      await runner.kill("stays");
      await runner.reaches("stays", TaskState.TASK_KILLED);
      expect(runner.of("stays")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        'TASK_KILLED "Command terminated with signal Killed"',
      ]);
    });
  });
}

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
