import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import {
  ExecutorToFrameworkMessage,
  RegisterExecutorMessage,
  StatusUpdateMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList, SchedulerClient } from "../../sdk/index.js";
import { TaskRunner } from "../bench/task-runner.js";
import { TaskShape } from "../bench/task-shape.js";
import { FrameReader, frame } from "../bench/wire-frame.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { HealthProbe } from "../support/health-probe.js";
import { EventsOf, FloodingFramework, PipelinedCalls } from "../support/pipelined-calls.js";

const STRANGER = "executor(1)@127.0.0.1:9";

describe("executors that are none", function () {
  this.timeout(90_000);
  let cluster: Cluster | undefined;
  let agent = "";

  before(async () => {
    cluster = await startCluster({
      agentFlags: [
        "--launcher=posix",
        "--isolation=posix/cpu,posix/mem",
        "--executor_registration_timeout=20secs",
      ],
    });
    agent = `http://127.0.0.1:${cluster.agents[0]!.port}`;
  });

  after(() => cluster?.stop());

  /** Over libprocess; the status of the answer. */
  async function say(name: string, body: Uint8Array): Promise<number> {
    const response = await fetch(`${agent}/slave(1)/mesos.internal.${name}`, {
      method: "POST",
      headers: { "libprocess-from": STRANGER },
      body: Buffer.from(body),
    });
    return response.status;
  }

  const call = async (body: string | Uint8Array, type = "application/json"): Promise<number> =>
    (await fetch(`${agent}/api/v1/executor`, { method: "POST", headers: { "content-type": type }, body }))
      .status;

  /** Sends bytes and leaves. */
  const cut = (bytes: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(cluster!.agents[0]!.port, "127.0.0.1", () =>
        socket.end(bytes, () => socket.destroy()),
      );
      socket.once("close", () => resolve());
      socket.once("error", reject);
    });

  it("change nothing, whatever they send, and the one that never comes takes its task along", async () => {
    const statuses: string[] = [];
    const client = new SchedulerClient({
      master: `127.0.0.1:${cluster!.master.port}`,
      framework: { name: "bad executors" },
    });
    let frameworkId = "";
    client.on("update", ({ status }) => void statuses.push(`${TaskState[status.state!]} ${status.message}`));
    client.on("offers", async ({ offers: [offer] }) => {
      if (frameworkId !== "") return;
      frameworkId = offer!.framework_id!.value!;
      const executor = {
        executor_id: { value: "silent" },
        framework_id: offer!.framework_id,
        command: { value: "exec sleep 1000" },
        resources: resourceList("cpus:0.1;mem:32"),
      };
      const task = {
        name: "t",
        task_id: { value: "t" },
        executor,
        resources: resourceList("cpus:0.1;mem:32"),
      };
      await client.launch(offer!, [task]);
    });
    await client.start();
    try {
      await until(async () => {
        const { frameworks } = (await getJson(cluster!.agents[0]!, "/state")) as { frameworks: unknown[] };
        return frameworks.length === 1;
      });
      const ids = `"framework_id":{"value":"${frameworkId}"},"executor_id":{"value":"silent"}`;
      const update = (agentId: string): Uint8Array =>
        StatusUpdateMessage.encode({
          update: {
            framework_id: { value: frameworkId },
            executor_id: { value: "silent" },
            slave_id: { value: agentId },
            status: { task_id: { value: "t" }, state: TaskState.TASK_FINISHED, agent_id: { value: agentId } },
            timestamp: 1,
            uuid: Buffer.alloc(16, 7),
          },
        }).finish();
      const { id } = (await getJson(cluster!.agents[0]!, "/state")) as { id: string };
      // Over libprocess nobody is told what became of a message.
      const register = RegisterExecutorMessage.encode({
        framework_id: { value: frameworkId },
        executor_id: { value: "another" },
      }).finish();
      const messages: [string, Uint8Array][] = [
        ["RegisterExecutorMessage", register],
        ["RegisterExecutorMessage", Buffer.alloc(0)],
        ["RegisterExecutorMessage", Buffer.alloc(100_000, 0xff)],
        ["ReregisterExecutorMessage", register.subarray(0, 5)],
        ["StatusUpdateMessage", update(id)],
        ["StatusUpdateMessage", update("another")],
        ["ExecutorToFrameworkMessage", Buffer.from("garbage")],
        ...Array.from({ length: 200 }, (): [string, Uint8Array] => ["StatusUpdateMessage", update(id)]),
      ];
      for (const [name, body] of messages) expect(await say(name, body)).to.equal(202);
      const calls: [string | Uint8Array, number][] = [
        ["", 400],
        ["{", 400],
        ["[]", 400],
        [`{"type":"SUBSCRIBE",${ids}}`, 400],
        [`{"type":"MESSAGE",${ids},"message":{"data":"aGk="}}`, 403],
        [`{"type":"MESSAGE",${ids.replace("silent", "another")},"message":{"data":"aGk="}}`, 400],
        [`{"type":"MESSAGE",${ids.replace(frameworkId, "another")},"message":{"data":"aGk="}}`, 400],
        ["x".repeat(5_000_000), 400],
      ];
      for (const [body, status] of calls)
        expect(await call(body), String(body).slice(0, 80)).to.equal(status);
      expect(await call(Buffer.alloc(1000, 0xff), "application/x-protobuf")).to.equal(400);
      expect(await call("{}", "text/plain")).to.equal(415);
      await cut(`POST /api/v1/executor HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{"type":"SUBS`);
      await cut(
        `POST /slave(1)/mesos.internal.RegisterExecutorMessage HTTP/1.1\r\nuser-agent: libprocess/${STRANGER}\r\ncontent-length: 99\r\n\r\nhalf`,
      );
      await until(() => statuses.length > 0);
      expect(statuses).to.deep.equal(["TASK_FAILED Executor did not register within 20secs"]);
      expect((await fetch(`${agent}/health`)).status).to.equal(200);
      const metrics = (await getJson(cluster!.agents[0]!, "/metrics/snapshot")) as Record<string, number>;
      expect(metrics["slave/invalid_status_updates"]).to.equal(202);
      expect(metrics["slave/executors_terminated"]).to.equal(1);
      expect(cluster!.agents[0]!.process.exitCode).to.equal(null);
    } finally {
      await client.teardown();
    }
  });
});

/** Of an agent that has some 90 MB without any load. */
const MOST_MEMORY_MB = 350;
const MOST_FILE_BYTES = 12 * 1024 * 1024;
const FLOOD = 20_000;
const DATA = Buffer.alloc(1000, "x");

describe("executors that flood", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let agent: Daemon;
  let framework: FloodingFramework;
  let calls: PipelinedCalls;
  let launched: Record<"framework_id" | "executor_id" | "agent_id", { value: string }>;
  let uuids = 0;

  before(async () => {
    const isolation = ["--launcher=posix", "--isolation=posix/cpu,posix/mem"];
    cluster = await startCluster({ agentFlags: [...isolation, "--executor_shutdown_grace_period=1secs"] });
    agent = cluster.agents[0]!;
  });

  after(() => cluster?.stop());

  /** An executor with a task `t`, as which this test comes. Its framework checkpoints, and acknowledges nothing. */
  beforeEach(async () => {
    framework = await FloodingFramework.subscribe(cluster.master, { checkpoint: true, failover_timeout: 60 });
    calls = await framework.calls();
    await until(() => framework.offer !== undefined);
    const { id, agent_id } = framework.offer!;
    launched = { framework_id: { value: framework.id }, executor_id: { value: "flooding" }, agent_id };
    const resources = ["cpus", "mem"].map((name) => ({ name, type: "SCALAR", scalar: { value: 0.1 } }));
    const { framework_id, executor_id } = launched;
    const executor = { framework_id, executor_id, resources, command: { value: "exec sleep 1000" } };
    const task = { name: "t", task_id: { value: "t" }, agent_id, executor, resources };
    const operations = [{ type: "LAUNCH", launch: { task_infos: [task] } }];
    // It wants nothing more: what it was offered would be kept from the others.
    const filters = { refuse_seconds: 3600 };
    await calls.send([framework.body("ACCEPT", { offer_ids: [id], operations, filters })]);
    // One that comes before its container runs has none.
    await until(async () => {
      const containers = (await getJson(agent, "/containers")) as {
        framework_id: string;
        status?: { executor_pid?: number };
      }[];
      return containers.some(
        ({ framework_id: of, status }) => of === framework.id && status?.executor_pid !== undefined,
      );
    });
  });

  afterEach(async () => {
    await calls.send([framework.body("TEARDOWN")]);
    await until(async () => {
      const { frameworks } = (await getJson(agent, "/state")) as { frameworks: unknown[] };
      return frameworks.length === 0;
    });
    calls.close();
    framework.stream.close();
  });

  /** Other frameworks' tasks end as ever, the agent answers all the while, and is within its bounds. */
  async function whileOthersGoOn(flood: () => Promise<void>): Promise<void> {
    const probe = new HealthProbe(agent.port);
    const runner = await TaskRunner.subscribe(cluster.master.port);
    try {
      await flood();
      await runner.finish(new TaskShape(0.1, 32), { tasks: 5, inFlight: 1 });
    } finally {
      runner.close();
    }
    const { answers } = await probe.stop();
    expect(answers).to.be.greaterThan(2);
    expect(agent.memory().peak).to.be.lessThan(MOST_MEMORY_MB);
  }

  async function updatesOnDisk(): Promise<number> {
    const { flags } = (await getJson(agent, "/flags")) as { flags: { work_dir: string } };
    const meta = join(flags.work_dir, "meta");
    return readdirSync(meta, { recursive: true, encoding: "utf8" })
      .filter(
        (path) => path.includes(framework.id) && !path.includes("latest") && path.endsWith("task.updates"),
      )
      .reduce((sum, path) => sum + statSync(join(meta, path)).size, 0);
  }

  const nextUuid = (): Buffer => Buffer.from(String(uuids++).padStart(16, "0"));

  it("over HTTP are made to wait; the disk, the memory and the others' tasks do not suffer", async () => {
    const { framework_id, executor_id } = launched;
    const ids = { framework_id, executor_id };
    const events = await EventsOf.open(agent, "/api/v1/executor", {
      body: { type: "SUBSCRIBE", ...ids, subscribe: {} },
      seen: () => undefined,
    });
    const update = (): string => {
      const state = uuids % 2 === 0 ? "TASK_STARTING" : "TASK_RUNNING";
      const facts = { task_id: { value: "t" }, state, source: "SOURCE_EXECUTOR" };
      const status = { ...facts, uuid: nextUuid().toString("base64"), data: DATA.toString("base64") };
      return JSON.stringify({ type: "UPDATE", ...ids, update: { status } });
    };
    const message = JSON.stringify({ type: "MESSAGE", ...ids, message: { data: DATA.toString("base64") } });
    const floods = await Promise.all([1, 2, 3, 4].map(() => PipelinedCalls.open(agent, "/api/v1/executor")));
    const messages = await PipelinedCalls.open(agent, "/api/v1/executor");
    const accepted = (): number => floods.reduce((sum, { statuses }) => sum + (statuses.get(202) ?? 0), 0);
    await whileOthersGoOn(async () => {
      for (const flood of floods) void flood.send(Array.from({ length: FLOOD / 4 }, update));
      await until(() => accepted() >= 1000);
      // Its scheduler sets the pace.
      expect(accepted()).to.be.lessThan(FLOOD / 2);
      await messages.send(Array.from({ length: FLOOD }, () => message));
      expect([...(await messages.answers())]).to.deep.equal([[202, FLOOD]]);
    });
    expect(await updatesOnDisk()).to.be.within(1, MOST_FILE_BYTES);
    for (const one of [...floods, messages, events]) one.close();
  });

  it("over libprocess are not heard for as long; the disk, the memory and the others' tasks do not suffer", async () => {
    const { framework_id, executor_id, agent_id } = launched;
    const driver = await ExecutorDriver.open(agent.port);
    driver.send(
      "RegisterExecutorMessage",
      RegisterExecutorMessage.encode({ framework_id, executor_id }).finish(),
    );
    await until(() => driver.heard.includes("mesos.internal.RunTaskMessage"));
    const ids = { framework_id, executor_id, slave_id: agent_id };
    const message = ExecutorToFrameworkMessage.encode({ ...ids, data: DATA }).finish();
    await whileOthersGoOn(async () => {
      for (let i = 0; i < FLOOD; i++) {
        const state = i % 2 === 0 ? TaskState.TASK_STARTING : TaskState.TASK_RUNNING;
        const status = { task_id: { value: "t" }, state, agent_id, data: DATA };
        const update = { ...ids, status, timestamp: 1, uuid: nextUuid() };
        driver.send("StatusUpdateMessage", StatusUpdateMessage.encode({ update, pid: driver.pid }).finish());
        driver.send("ExecutorToFrameworkMessage", message);
      }
      await until(
        () => driver.heard.filter((name) => name.endsWith("AcknowledgementMessage")).length >= 1000,
      );
    });
    expect(driver.unsent, "the agent does not read").to.be.greaterThan(MOST_FILE_BYTES);
    expect(await updatesOnDisk()).to.be.within(1, MOST_FILE_BYTES);
    driver.close();
  });
});

/** An executor of the v0 driver. */
class ExecutorDriver {
  readonly heard: string[] = [];
  private readonly inbound: Socket[] = [];

  private constructor(
    private readonly server: Server,
    private readonly socket: Socket,
    private readonly agentPort: number,
  ) {
    server.on("connection", (socket: Socket) => {
      const reader = new FrameReader();
      this.inbound.push(socket);
      socket.on("error", () => undefined);
      socket.on("data", (chunk) => reader.push(chunk, ({ name }) => void this.heard.push(name)));
    });
    socket.on("error", () => undefined).resume();
  }

  static async open(agentPort: number): Promise<ExecutorDriver> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ExecutorDriver(server, connect(agentPort, "127.0.0.1"), agentPort);
  }

  get pid(): string {
    return `executor(1)@127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  /** Bytes that the agent has yet to take. */
  get unsent(): number {
    return this.socket.writableLength;
  }

  send(name: string, body: Uint8Array): void {
    const to = `slave(1)@127.0.0.1:${this.agentPort}`;
    this.socket.write(frame({ from: this.pid, to, name: `mesos.internal.${name}`, body }));
  }

  close(): void {
    for (const socket of [this.socket, ...this.inbound]) socket.destroy();
    this.server.close();
  }
}
