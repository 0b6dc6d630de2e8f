import { spawn } from "node:child_process";
import { access, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList, SchedulerClient } from "../../sdk/index.js";
import { processesOf } from "../soak/remains.js";
import { taskInfo } from "../soak/soak-task.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";

const root = new URL("../../..", import.meta.url).pathname;

interface Flags {
  readonly flags: Readonly<Record<string, string>>;
}

interface Agent {
  readonly id: string;
  readonly resources: { readonly cpus: number; readonly mem: number };
  readonly used_resources: { readonly cpus: number };
  readonly attributes: Readonly<Record<string, string>>;
}

describe("an agent that is started again with other flags", function () {
  this.timeout(120_000);
  const tag = `restarts-${process.pid}`;
  let cluster: Cluster;
  let agent: Daemon;
  let client: SchedulerClient;
  let workDir: string;
  const states = new Map<string, TaskState | undefined>();

  before(async () => {
    cluster = await startCluster({ agentFlags: ["--launcher=posix"] });
    agent = cluster.agents[0]!;
    workDir = ((await getJson(agent, "/flags")) as Flags).flags.work_dir!;
    client = new SchedulerClient({
      master: `127.0.0.1:${cluster.master.port}`,
      framework: {
        name: "restarts",
        roles: ["*"],
        capabilities: [{ type: 5 }, { type: 6 }],
        checkpoint: true,
        failover_timeout: 60,
      },
    });
    client.on("update", ({ status }) => void states.set(status.task_id!.value!, status.state));
    let launched = false;
    client.on("offers", async ({ offers }) => {
      for (const offer of offers) {
        if (launched) await client.decline(offer, { refuse_seconds: 0.1 });
        else {
          launched = true;
          const tasks = ["t1", "t2", "t3"].map((id) => {
            const info = taskInfo({ id, script: "exec sleep 1000" }, { marks: workDir, tag });
            return { ...info, resources: resourceList("cpus:1.2;mem:32") };
          });
          await client.launch(offer, tasks, { refuse_seconds: 0.1 });
        }
      }
    });
    await client.start();
    await until(() => ["t1", "t2", "t3"].every((id) => states.get(id) === TaskState.TASK_RUNNING));
  });

  after(async () => {
    await client?.close();
    await agent?.stop();
    await cluster?.master.stop();
    for (const pid of processesOf(tag)) process.kill(pid, "SIGKILL");
  });

  const inCluster = async (): Promise<Agent> =>
    ((await getJson(cluster.master, "/slaves")) as { slaves: Agent[] }).slaves[0]!;

  /** The agent's program with these flags added to those that it had. */
  function start(...more: string[]) {
    const names = new Set(more.map((flag) => flag.split("=")[0]));
    const had = agent.process.spawnargs.filter(
      (flag) => flag.startsWith("--") && !names.has(flag.split("=")[0]!),
    );
    const child = spawn(process.execPath, [join(root, "bin/mesos-agent"), ...had, ...more], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    return { child, ended, text: () => text };
  }

  it("refuses other resources by default, and says what can be done", async () => {
    await agent.kill();
    const second = start("--resources=cpus:2;mem:4096;disk:4096;ports:[31000-31999]");
    expect(await second.ended).to.equal(1);
    expect(second.text()).to.match(/the resources changed from 'cpus:4;.*' to 'cpus:2;/);
    expect(second.text()).to.match(/--reconfiguration_policy=any,/);
    expect(processesOf(tag), "its tasks are not touched").to.have.length(3);
  });

  it("is smaller, with its id and tasks, where its policy is `any`", async () => {
    const { id } = await inCluster();
    const second = start(
      "--resources=cpus:2;mem:4096;disk:4096;ports:[31000-31999]",
      "--attributes=rack:r2",
      "--reconfiguration_policy=any",
    );
    await until(async () => (await inCluster()).resources.cpus === 2);
    const now = await inCluster();
    expect([now.id, now.attributes]).to.deep.equal([id, { rack: "r2" }]);
    expect(now.used_resources.cpus, "more than it has").to.be.closeTo(3.6, 0.001);
    expect(processesOf(tag)).to.have.length(3);
    await client.kill("t2");
    await until(() => states.get("t2") === TaskState.TASK_KILLED);
    await until(async () => (await inCluster()).used_resources.cpus < 3);
    second.child.kill("SIGKILL");
    await second.ended;
  });

  const SMALLER = [
    "--resources=cpus:2;mem:4096;disk:4096;ports:[31000-31999]",
    "--attributes=rack:r2",
  ] as const;

  it("refuses a damaged file by name, and without --strict goes on without what it was for", async () => {
    const meta = join(workDir, "meta", "slaves");
    const latest = await readlink(join(meta, "latest"));
    const frameworks = join(latest, "frameworks", client.frameworkId!);
    const run = await readlink(join(frameworks, "executors", "t1", "runs", "latest"));
    const path = join(run, "tasks", "t1", "task.info");
    const content = await readFile(path);
    content[20]! ^= 1;
    await writeFile(path, content);
    const refused = start(...SMALLER);
    expect(await refused.ended).to.equal(1);
    expect(refused.text()).to.include(`'${path}' is damaged: the checksum of a record in it is wrong`);
    const lenient = start(...SMALLER, "--strict=false");
    // Nobody knows of it any more, so it ends, and the master, which does, asks for it.
    await until(() => states.get("t1") === TaskState.TASK_DROPPED && processesOf(tag).length === 1);
    expect(states.get("t3")).to.equal(TaskState.TASK_RUNNING);
    const metrics = (await getJson(agent, "/metrics/snapshot")) as Record<string, number>;
    expect(metrics["slave/recovery_errors"]).to.equal(1);
    // It is over for good from here on.
    await until(() =>
      access(join(run, "executor.sentinel")).then(
        () => true,
        () => false,
      ),
    );
    lenient.child.kill("SIGKILL");
    await lenient.ended;
  });

  it("only ends what is left, and itself, where it is told to", async () => {
    expect(processesOf(tag)).to.have.length(1);
    const last = start(
      ...SMALLER,
      "--recover=cleanup",
      "--logging_level=INFO",
      "--executor_shutdown_grace_period=2500ms",
    );
    expect(await last.ended, last.text()).to.equal(0);
    expect(last.text()).to.match(/nothing of this agent is left/);
    expect(processesOf(tag)).to.deep.equal([]);
  });
});
