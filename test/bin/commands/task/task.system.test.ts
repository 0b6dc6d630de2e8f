import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { TaskState } from "../../../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, startCluster } from "../../../support/cluster.js";
import type { Daemon } from "../../../support/daemons.js";
import { endCgroups } from "../../../support/end-cgroups.js";
import { eventually } from "../../../support/eventually.js";
import { requirePart, requireThat } from "../../../support/require-part.js";
import { Runner } from "../../../support/runner.js";
import { Pane } from "./pane.js";

const root = new URL("../../../../../", import.meta.url).pathname;

/** `tepui task <args>` without a terminal. */
const tepui = (args: readonly string[], input = "") => run(["task", ...args], input);

async function run(
  args: readonly string[],
  input = "",
): Promise<{ code: number; stdout: string; stderr: string }> {
  // Whatever those who run the tests want of their own output.
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" };
  const child = spawn(process.execPath, [`${root}bin/tepui`, ...args], { stdio: "pipe", env });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    said.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    said.stderr += String(chunk);
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, ...said };
}

for (const launcher of ["posix", "linux"] as const) {
  describe(`tepui task, ${launcher} launcher`, function () {
    this.timeout(60_000);
    const cgroupRoot = `tepui-task-${process.pid}`;
    let cluster: Cluster;
    let agent: Daemon;
    let runner: Runner;
    let master: string;
    const panes: Pane[] = [];

    before(async function () {
      requirePart(this, "perl", "perl-base");
      if (launcher === "linux") requireThat(this, process.geteuid?.() === 0, "the linux launcher needs root");
      cluster = await startCluster({
        agentFlags: [
          `--launcher=${launcher}`,
          "--executor_shutdown_grace_period=1secs",
          ...(launcher === "linux"
            ? [`--cgroups_root=${cgroupRoot}`, "--isolation=filesystem/linux,namespaces/pid,cgroups/mem"]
            : []),
        ],
      });
      agent = cluster.agents[0]!;
      runner = new Runner(cluster);
      await runner.start();
      master = `--master=127.0.0.1:${cluster.master.port}`;
      runner.run("shell-1", { value: "echo out; echo err >&2; export GREETING=hello; exec sleep 1000" });
      runner.run(
        "echo-1",
        { value: "while read line; do echo got $line; done; exit 5" },
        {
          container: {
            type: 2,
            volumes: [],
            network_infos: [],
            tty_info: { window_size: { rows: 11, columns: 22 } },
          },
        },
      );
      runner.run("brief-1", { value: "echo brief" });
      await Promise.all([
        runner.reaches("shell-1", TaskState.TASK_RUNNING),
        runner.reaches("echo-1", TaskState.TASK_RUNNING),
        runner.reaches("brief-1", TaskState.TASK_FINISHED),
      ]);
    });

    afterEach(async () => {
      await Promise.all(panes.splice(0).map((pane) => pane.close()));
    });

    after(async () => {
      await runner?.stop();
      await agent?.stop();
      await cluster?.stop();
      await endCgroups(cgroupRoot);
    });

    const open = async (...args: Parameters<typeof Pane.task>): Promise<Pane> => {
      const pane = await Pane.task(...args);
      panes.push(pane);
      return pane;
    };

    it("is a shell in the task's container: job control, sizes, Ctrl-C, status, and the terminal as it was", async () => {
      const pane = await open(["exec", master, "-it", "shell-1", "sh"], { rows: 31, columns: 97 });
      // What is typed before the shell prompts is shown before its prompt.
      await pane.has(/[#$] /);
      await pane.type("PS1='% '; stty size\n");
      await pane.has(/\r\n31 97\r\n/);
      await pane.type("echo $GREETING-$TERM; tty\n");
      await pane.has(/\r\nhello-xterm\r\n|\r\n-xterm\r\n/);
      await pane.has(/\/dev\/(pts\/\d+|console)/);
      await pane.resize(40, 120);
      // What is typed may overtake the news of the size.
      await eventually(async () => {
        await pane.type("stty size\n");
        return (await pane.has(/\r\n\d+ \d+\r\n/)).includes("40 120") ? true : undefined;
      });
      await pane.type("sh -c 'echo ready; exec sleep 1000'\n");
      await pane.has(/\r\nready\r\n/);
      await pane.type("\u001a");
      await pane.has(/Stopped/);
      await pane.has("% ");
      await pane.type("bg; kill %1; wait; echo killed\n");
      await pane.has(/\r\nkilled\r\n/);
      await pane.has("% ");
      await pane.type("sh -c 'echo ready; exec sleep 1000'\n");
      await pane.has(/\r\nready\r\n/);
      await pane.type("\u0003");
      await pane.has("% ");
      await pane.type("echo after $?\n");
      await pane.has(/\r\nafter 130\r\n/);
      await pane.type("exit 7\n");
      await pane.has("code=7");
      expect((await pane.has(/((icanon|echo|isig) ?){3}/)).includes("-")).to.equal(false);
    });

    it("passes input, output and the status of a command on, without a terminal", async () => {
      const script = "cat; echo problem >&2; exit 9";
      const answer = await tepui(["exec", master, "-i", "shell-1", "sh", "-c", script], "one\ntwo\n");
      expect(answer).to.deep.equal({ code: 9, stdout: "one\ntwo\n", stderr: "problem\n" });
    });

    it("brings a large input over whole, and says nothing else", async () => {
      const answer = await tepui(["exec", master, "-i", "shell-1", "md5sum"], "x".repeat(3_000_000));
      const md5 = createHash("md5").update("x".repeat(3_000_000)).digest("hex");
      expect(answer).to.deep.equal({ code: 0, stdout: `${md5}  -\n`, stderr: "" });
    });

    it("gives a command no input unless asked, and tells of a signal", async () => {
      const answer = await tepui(["exec", master, "shell-1", "sh", "-c", "cat; kill -TERM $$"], "lost");
      expect(answer).to.deep.equal({ code: 143, stdout: "", stderr: "" });
    });

    it("brings a large output over whole", async () => {
      const { stdout } = await tepui(["exec", master, "shell-1", "seq", "1", "400000"]);
      expect(stdout.length).to.equal(2_688_895);
      expect(stdout.endsWith("\n400000\n")).to.equal(true);
    });

    it("ends the command when it is ended itself", async () => {
      const mark = `${process.pid}${launcher === "linux" ? 1 : 0}77`;
      const child = spawn(process.execPath, [
        `${root}bin/tepui`,
        "task",
        "exec",
        master,
        "shell-1",
        "sleep",
        mark,
      ]);
      const sleeps = async (): Promise<number> =>
        Number(
          (await tepui(["exec", master, "shell-1", "sh", "-c", `ps ax -o args= | grep -c '^sleep ${mark}$'`]))
            .stdout,
        );
      await eventually(async () => ((await sleeps()) === 1 ? true : undefined), 20_000);
      child.kill("SIGKILL");
      await eventually(async () => ((await sleeps()) === 0 ? true : undefined), 20_000);
    });

    it("says what is wrong with what it is asked for", async () => {
      const problems = await Promise.all([
        tepui(["exec", master, "nobody", "true"]),
        tepui(["exec", master, "brief-1", "true"]),
        tepui(["exec", master, "-it", "shell-1", "sh"]),
        tepui(["exec", master, "shell-1", "/no/such/program"]),
        tepui(["attach", master, "brief-1"]),
        tepui(["logs", "--master=127.0.0.1:1", "brief-1"]),
      ]);
      expect(problems.map(({ code }) => code)).to.deep.equal([1, 1, 1, 1, 1, 1]);
      const texts = problems.map(({ stderr }) => stderr);
      expect(texts[0]).to.equal("tepui task exec: there is no task 'nobody'\n");
      expect(texts[1]).to.equal("tepui task exec: the task 'brief-1' has ended (TASK_FINISHED)\n");
      expect(texts[2]).to.include("standard input is no terminal");
      expect(texts[3]).to.include("Failed to execute '/no/such/program'");
      expect(texts[4]).to.include("has ended");
      expect(texts[5]).to.include("the master at 127.0.0.1:1 does not answer");
    });

    it("attaches to a task with a terminal, lets go of it with Ctrl-P Ctrl-Q, and attaches again", async () => {
      const first = await open(["attach", master, "echo-1"]);
      await first.type("one\n");
      await first.has(/got one\r\n/);
      await first.type("\u0010\u0011");
      await first.has("code=0");
      expect((await first.has(/((icanon|echo|isig) ?){3}/)).includes("-")).to.equal(false);
      const second = await open(["attach", master, "echo-1"]);
      await second.type("two\n");
      await second.has(/got two\r\n/);
      expect(runner.last("echo-1")?.state).to.equal(TaskState.TASK_RUNNING);
    });

    it("attaches again when the agent was killed, and is back", async () => {
      const mark = `${process.pid}${launcher === "linux" ? 1 : 0}99`;
      const first = await open(["attach", master, "echo-1"]);
      await first.type("three\n");
      await first.has(/got three\r\n/);
      const session = await open(["exec", master, "-it", "shell-1", "sh", "-c", `echo begun; sleep ${mark}`]);
      await session.has("begun");
      await agent.kill();
      await first.has("the agent broke off: the connection was lost");
      await first.has("code=1");
      expect((await first.has(/((icanon|echo|isig) ?){3}/)).includes("-")).to.equal(false);
      await session.has("code=1");
      agent = await agent.restart();
      const attached = async (): Promise<Pane | undefined> => {
        const pane = await open(["attach", master, "echo-1"]);
        await pane.type("four\n");
        return pane.has(/got four\r\n|code=1/).then((text) => (text.includes("code") ? undefined : pane));
      };
      await eventually(attached, 30_000);
      // Nobody listens to the session any more.
      const sleeps = `ps ax -o args= | grep -c '^sleep ${mark}$'`;
      const answer = async () => (await tepui(["exec", master, "shell-1", "sh", "-c", sleeps])).stdout;
      await eventually(async () => ((await answer()) === "0\n" ? true : undefined), 30_000);
    });

    it("shows the output of a task that takes no input", async () => {
      runner.run("loud-1", { value: "while :; do echo loud; sleep 0.1; done" });
      await runner.reaches("loud-1", TaskState.TASK_RUNNING);
      const pane = await open(["attach", master, "loud-1"]);
      await pane.has("showing the output alone");
      await pane.has("loud\r\nloud");
      await runner.kill("loud-1");
      await pane.has("code=0");
    });

    it("is told of by the list of the agent's containers, with what runs in it", async () => {
      const pane = await open(["exec", master, "-it", "shell-1", "sh"]);
      await pane.type("echo in-$((40 + 2))\n");
      await pane.has("in-42");
      const agentOption = `--agent=127.0.0.1:${agent.port}`;
      const { code, stdout } = await run(["agent", "containers", agentOption]);
      expect(code).to.equal(0);
      const [head, ...rows] = stdout.trimEnd().split("\n");
      expect(head).to.match(/^CONTAINER +EXECUTOR +FRAMEWORK +PID +ADDRESS +CPUS +MEMORY$/);
      const cells = rows.map((row) => row.split(/ {2,}/));
      const [id] = cells.find(([, executor]) => executor === "shell-1")!;
      const within = cells.find(([name]) => name!.startsWith(`${id}.`))!;
      expect(Number(within[3])).to.be.greaterThan(1);
      expect(readFileSync(`/proc/${within[3]}/cmdline`, "latin1")).to.match(/sh|tepui-init/);
      const json = await run(["agent", "containers", agentOption, "--json"]);
      const { get_containers: all } = JSON.parse(json.stdout) as {
        get_containers: { containers: object[] };
      };
      expect(all.containers).to.have.length(rows.length);
      const nobody = await run(["agent", "containers", "--agent=127.0.0.1:1"]);
      expect(nobody.code).to.equal(1);
      expect(nobody.stderr).to.match(/^tepui agent containers: .*127\.0\.0\.1:1/);
    });

    it("prints and follows logs", async () => {
      expect(await tepui(["logs", master, "brief-1"])).to.include({ code: 0, stdout: "brief\n" });
      expect((await tepui(["logs", master, "--stderr", "shell-1"])).stdout.endsWith("err\n")).to.equal(true);
      runner.run("slow-1", { value: "echo first; sleep 2; echo last" });
      await runner.reaches("slow-1", TaskState.TASK_RUNNING);
      const followed = await tepui(["logs", master, "-f", "slow-1"]);
      expect(followed).to.deep.equal({ code: 0, stdout: "first\nlast\n", stderr: "" });
    });
  });
}
