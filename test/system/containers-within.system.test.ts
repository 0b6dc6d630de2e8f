import { existsSync } from "node:fs";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import { boxed, ContainerHost } from "../support/container-host.js";
import type { Daemon } from "../support/daemons.js";
import { eventually } from "../support/eventually.js";
import { Runner, sandboxOf } from "../support/runner.js";

interface Id {
  readonly value: string;
  readonly parent?: Id;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** A call of the agent's operator API, in JSON; one that still recovers is asked again. */
async function call(
  agent: Daemon,
  body: object,
  headers: Readonly<Record<string, string>> = { accept: "application/json" },
): Promise<Answer> {
  return eventually(async () => {
    const response = await fetch(`http://127.0.0.1:${agent.port}/api/v1`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    return response.status === 503 ? undefined : { status: response.status, text };
  }, 45_000);
}

const launch = (agent: Daemon, id: Id, script: string, more: object = {}): Promise<Answer> =>
  call(agent, {
    type: "LAUNCH_CONTAINER",
    launch_container: { container_id: id, command: { value: script }, ...more },
  });

/** Status as of wait(2). */
async function ended(agent: Daemon, id: Id): Promise<number | undefined> {
  const { status, text } = await call(agent, {
    type: "WAIT_CONTAINER",
    wait_container: { container_id: id },
  });
  if (status !== 200) throw new Error(`${status} ${text}`);
  return (JSON.parse(text) as { wait_container: { exit_status?: number } }).wait_container.exit_status;
}

const kill = (agent: Daemon, id: Id, signal = 9): Promise<Answer> =>
  call(agent, { type: "KILL_CONTAINER", kill_container: { container_id: id, signal } });

const remove = (agent: Daemon, id: Id): Promise<Answer> =>
  call(agent, { type: "REMOVE_CONTAINER", remove_container: { container_id: id } });

const RESOURCES = {
  resources: [
    { name: "cpus", type: "SCALAR", scalar: { value: 0.1 } },
    { name: "mem", type: "SCALAR", scalar: { value: 64 } },
  ],
};

/** Prints what a process may do. */
const RIGHTS = "grep -E '^(Cap(Eff|Bnd)|NoNewPrivs|Seccomp):' /proc/self/status";

async function workDirectory(agent: Daemon): Promise<string> {
  const { flags } = (await getJson(agent, "/flags")) as { flags: { work_dir: string } };
  return flags.work_dir;
}

const readWhole = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

describe("nested containers, on a real agent without isolation", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let runner: Runner;
  let agent: Daemon;

  before(async () => {
    cluster = await startCluster();
    agent = cluster.agents[0]!;
    runner = new Runner(cluster);
    await runner.start();
  });

  after(async () => {
    await runner?.stop();
    await agent?.stop();
    await cluster?.stop();
  });

  const restart = async (): Promise<void> => {
    await agent.kill();
    agent = await agent.restart();
  };

  it("run in a task's container, and their ends are true also over the death of the agent", async () => {
    runner.run("outer", { value: "exec sleep 1000" });
    await runner.reaches("outer", TaskState.TASK_RUNNING);
    const parent: Id = { value: await containerOf(agent, "outer") };
    const [short, long, killed] = ["short", "long", "killed"].map((value) => ({ value, parent }));
    expect((await launch(agent, short!, "exit 3")).status).to.equal(200);
    const waits = "while [ ! -e go ]; do sleep 0.05; done; exit 5";
    expect((await launch(agent, long!, waits)).status).to.equal(200);
    expect((await launch(agent, long!, waits)).status).to.equal(202);
    expect((await launch(agent, killed!, "exec sleep 1000")).status).to.equal(200);
    expect(await ended(agent, short!)).to.equal(3 << 8);
    await restart();
    expect(await ended(agent, short!)).to.equal(3 << 8);
    const sandbox = join(await sandboxOf(agent, "outer"), "containers", "long");
    await agent.kill();
    // It ends while nobody looks.
    await writeFile(join(sandbox, "go"), "");
    agent = await agent.restart();
    expect(await ended(agent, long!)).to.equal(5 << 8);
    expect((await kill(agent, killed!)).status).to.equal(200);
    expect(await ended(agent, killed!)).to.equal(9);
    expect((await remove(agent, killed!)).status).to.equal(200);
    expect(existsSync(join(sandbox, "..", "killed"))).to.equal(false);
    expect((await kill(agent, killed!)).status).to.equal(404);
    await runner.kill("outer");
    await until(async () => (await call(agent, wait(long!))).status === 404);
    const workDir = await workDirectory(agent);
    await until(async () => (await savedIn(workDir)).length === 0);
  });

  const wait = (id: Id): object => ({ type: "WAIT_CONTAINER", wait_container: { container_id: id } });

  it("may be of nobody, and live on without the agent, with what is in them", async () => {
    const alone: Id = { value: "alone" };
    const inner: Id = { value: "inner", parent: alone };
    expect((await launch(agent, alone, "echo $$ > pid; exec sleep 1000", RESOURCES)).status).to.equal(200);
    expect((await launch(agent, inner, "echo $$ > pid; exec sleep 1000")).status).to.equal(200);
    const sandbox = join(await workDirectory(agent), "containers", "alone");
    const pids = [join(sandbox, "pid"), join(sandbox, "containers", "inner", "pid")];
    await until(async () => (await Promise.all(pids.map(readWhole))).every((text) => text.endsWith("\n")));
    const numbers = (await Promise.all(pids.map(readWhole))).map((text) => text.trim());
    await restart();
    for (const pid of numbers) expect(existsSync(`/proc/${pid}`)).to.equal(true);
    expect((await launch(agent, alone, "true", RESOURCES)).status).to.equal(202);
    expect((await kill(agent, alone)).status).to.equal(200);
    expect(await ended(agent, alone)).to.equal(9);
    expect(await ended(agent, inner)).to.equal(9);
    await until(async () => (await Promise.all(numbers.map(isRunning))).every((running) => !running));
    expect((await remove(agent, alone)).status).to.equal(200);
    expect(existsSync(sandbox)).to.equal(false);
    expect(await savedIn(await workDirectory(agent))).to.not.include("alone");
  });

  it("follow no link that a task puts in the way of their sandboxes", async () => {
    runner.run("sly", { value: "ln -s /etc containers; exec sleep 1000" });
    await runner.reaches("sly", TaskState.TASK_RUNNING);
    const link = join(await sandboxOf(agent, "sly"), "containers");
    await until(() => existsSync(link));
    const id: Id = { value: "made-by-tepui-test", parent: { value: await containerOf(agent, "sly") } };
    expect((await launch(agent, id, "true")).text).to.contain(
      "leads through something that is not a directory",
    );
    expect(existsSync("/etc/made-by-tepui-test")).to.equal(false);
    expect((await remove(agent, { ...id, value: "hosts" })).status).to.not.equal(200);
    expect(existsSync("/etc/hosts")).to.equal(true);
    await runner.kill("sly");
  });
});

describe("nested containers, on a real agent with full isolation", function () {
  this.timeout(60_000);
  let host: ContainerHost;

  before(async function () {
    host = await ContainerHost.open(this);
  });
  after(() => host?.close());

  it("look into a container with an image, over the death of the agent too, and leave nothing", async () => {
    const environment = { variables: [{ name: "COLOR", value: "green" }] };
    host.runner.run("boxed", { value: `${RIGHTS}; touch /here; sleep 4245 & wait`, environment }, boxed());
    await host.runner.reaches("boxed", TaskState.TASK_RUNNING);
    const parent: Id = { value: await host.containerId("boxed") };
    const look = async (value: string): Promise<string> => {
      const session = {
        container_id: { value, parent },
        command: { value: `ls /here; echo $COLOR; pwd; ${RIGHTS}; ps -o args` },
      };
      const { status, text } = await call(
        host.agent,
        { type: "LAUNCH_NESTED_CONTAINER_SESSION", launch_nested_container_session: session },
        { accept: "application/recordio", "message-accept": "application/json" },
      );
      if (status !== 200) throw new Error(`${status} ${text}`);
      return outputOf(text);
    };
    await until(async () => (await look(`ready-${Date.now()}`)).includes("sleep 4245"));
    const seen = (await look("first")).split("\n");
    expect(seen.slice(0, 3)).to.deep.equal(["/here", "green", "/mnt/mesos/sandbox"]);
    // Nobody gets more rights by looking in.
    const rights = await readWhole(join(await sandboxOf(host.agent, "boxed"), "stdout"));
    expect(rights.split("\n")).to.have.length.greaterThan(4);
    expect(seen.join("\n")).to.contain(rights);
    const nested: Id = { value: "nested", parent };
    const container = { type: "MESOS", mesos: { image: { type: "DOCKER", docker: { name: "box" } } } };
    expect(await launch(host.agent, nested, `test ! -e /here && ${RIGHTS}`, { container })).to.deep.include({
      status: 200,
    });
    expect(await ended(host.agent, nested)).to.equal(0);
    const sandbox = join(await sandboxOf(host.agent, "boxed"), "containers", "nested");
    expect(await readWhole(join(sandbox, "stdout"))).to.equal(rights);
    await host.kill();
    expect((await look("second")).split("\n").slice(0, 3)).to.deep.equal(seen.slice(0, 3));
    await host.runner.kill("boxed");
    await until(async () => (await groups(host.cgroupRoot)).length === 0);
  });

  it("have an image and limits of their own, without any task", async () => {
    const container = {
      type: "MESOS",
      mesos: { image: { type: "DOCKER", docker: { name: "box" } } },
    };
    const id: Id = { value: "alone" };
    const script = "test ! -e /etc/debian_version && cat /sys/fs/cgroup/memory/memory.limit_in_bytes";
    expect(await launch(host.agent, id, script, { ...RESOURCES, container })).to.deep.include({
      status: 200,
    });
    expect(await ended(host.agent, id)).to.equal(0);
    const sandbox = join(await host.workDirectory(), "containers", "alone");
    expect(await readWhole(join(sandbox, "stdout"))).to.equal(`${64 * 1024 * 1024}\n`);
    expect((await remove(host.agent, id)).status).to.equal(200);
    await until(async () => (await groups(host.cgroupRoot)).length === 0);
  });
});

/** What the records of a stream say that a container wrote. */
function outputOf(records: string): string {
  let text = "";
  for (let rest = records; rest !== ""; ) {
    const newline = rest.indexOf("\n");
    const length = Number(rest.slice(0, newline));
    const record = JSON.parse(rest.slice(newline + 1, newline + 1 + length)) as {
      data?: { data?: string };
    };
    text += Buffer.from(record.data?.data ?? "", "base64").toString();
    rest = rest.slice(newline + 1 + length);
  }
  return text;
}

interface AgentState {
  readonly frameworks: readonly {
    readonly executors: readonly { readonly id: string; readonly container: string }[];
  }[];
}

async function containerOf(agent: Daemon, id: string): Promise<string> {
  const { frameworks } = (await getJson(agent, "/state")) as AgentState;
  const found = frameworks.flatMap(({ executors }) => executors).find((executor) => executor.id === id);
  if (found === undefined) throw new Error(`no executor '${id}' runs`);
  return found.container;
}

const savedIn = (workDir: string): Promise<string[]> => readdir(join(workDir, "meta", "containers"));

async function isRunning(pid: string): Promise<boolean> {
  return readlink(`/proc/${pid}/exe`).then(
    () => true,
    () => false,
  );
}

/** Groups of containers that are left, in all hierarchies. */
async function groups(root: string): Promise<string[]> {
  const found: string[] = [];
  for (const hierarchy of await readdir("/sys/fs/cgroup")) {
    const entries = await readdir(join("/sys/fs/cgroup", hierarchy, root), { withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries) if (entry.isDirectory()) found.push(join(hierarchy, entry.name));
  }
  return found;
}
