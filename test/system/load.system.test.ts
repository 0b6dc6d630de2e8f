import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Cluster, startCluster } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import { eventually } from "../support/eventually.js";
import { HealthProbe } from "../support/health-probe.js";
import { LOAD_SCENARIOS } from "../support/load-scenarios.js";

/** Far above what the master needs for this, far below what it would hold without bounds. */
const MOST_MEMORY_MB = 500;

describe("a master of which too much is asked", function () {
  this.timeout(120_000);

  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tepui-load-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const { name, run, logged = /^/ } of LOAD_SCENARIOS) {
    it(`answers /health and stays within its memory: ${name}`, async () => {
      const log = join(folder, "log");
      const flags = ["--registry=in_memory", "--allocation_interval=50ms"];
      const master = await startDaemon("mesos-master", flags, { log });
      try {
        const probe = new HealthProbe(master.port);
        await run(master);
        const { answers } = await probe.stop();
        expect(answers, "while it was busy").to.be.greaterThan(2);
        expect(master.memory().peak).to.be.lessThan(MOST_MEMORY_MB);
        expect(readFileSync(log, "utf8")).to.match(logged);
      } finally {
        await master.stop();
        rmSync(log);
      }
    });
  }
});

describe("a master that more is asked of than it can do", function () {
  this.timeout(120_000);
  let master: Daemon;
  const sockets: Socket[] = [];

  before(async () => {
    master = await startDaemon("mesos-master", ["--registry=in_memory", "--allocation_interval=50ms"]);
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await master?.stop();
  });
  afterEach(() => expect(master.memory().peak).to.be.lessThan(MOST_MEMORY_MB));

  const healthy = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${master.port}/health`, { signal: AbortSignal.timeout(30_000) })).ok;

  async function open(bytes: string): Promise<Socket> {
    const socket = connect(master.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(bytes);
    return socket;
  }

  it("answers /health while connections stand still, in the middle of a head or without a word", async () => {
    await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        open(i % 2 === 0 ? "" : "GET /state HTTP/1.1\r\nHost: a\r\nX: "),
      ),
    );
    expect(await healthy()).to.equal(true);
  });

  it("refuses a body beyond its limit before it has taken it in", async () => {
    const megabyte = Buffer.alloc(1024 * 1024);
    const post = request({
      host: "127.0.0.1",
      port: master.port,
      method: "POST",
      path: "/api/v1/scheduler",
      headers: { "content-type": "application/x-protobuf", accept: "application/x-protobuf" },
    });
    const answer = new Promise<number | string>((resolve) => {
      post.on("response", ({ statusCode }) => resolve(statusCode ?? 0));
      post.on("error", ({ message }) => resolve(message));
    });
    let over = false;
    void answer.then(() => {
      over = true;
    });
    for (let i = 0; i < 1000 && !over; i++) {
      if (!post.write(megabyte)) await Promise.race([once(post, "drain"), answer]);
    }
    expect(over).to.equal(true);
    expect(await answer).to.be.oneOf([
      413,
      "write EPIPE",
      "write ECONNRESET",
      "read ECONNRESET",
      "socket hang up",
    ]);
    post.destroy();
    expect(await healthy()).to.equal(true);
  });

  it("gives up a scheduler that does not read its events, and goes on", async () => {
    const call = JSON.stringify({
      type: "SUBSCRIBE",
      subscribe: { framework_info: { user: "root", name: "slow" } },
    });
    const head =
      "POST /api/v1/scheduler HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAccept: application/json\r\n" +
      `Content-Length: ${call.length}\r\n\r\n`;
    const slow = await open(head + call);
    let text = "";
    slow.on("data", (bytes: Buffer) => {
      text += bytes;
    });
    const id = await eventually(() => /"framework_id":\{"value":"([^"]+)"/.exec(text)?.[1]).catch(() => {
      throw new Error(`it is not subscribed: ${text}`);
    });
    slow.pause();
    const streamId = /mesos-stream-id: (\S+)/i.exec(text)?.[1] ?? "";
    // Each question brings an event that nobody reads.
    const tasks = Array.from({ length: 2000 }, (_, i) => ({ task_id: { value: `unknown-${i}` } }));
    const body = JSON.stringify({ type: "RECONCILE", framework_id: { value: id }, reconcile: { tasks } });
    let status = 202;
    for (let i = 0; i < 500 && status === 202; i++) {
      const answer = await fetch(`http://127.0.0.1:${master.port}/api/v1/scheduler`, {
        method: "POST",
        headers: { "content-type": "application/json", "mesos-stream-id": streamId },
        body,
      });
      status = answer.status;
      await answer.arrayBuffer();
    }
    // Its subscription is over.
    expect(status).to.be.oneOf([400, 403]);
    expect(await healthy()).to.equal(true);
  });
});

const OUTPUT_BYTES = 60_000_000;

describe("an agent whose clients do not read what a container writes", function () {
  this.timeout(120_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster({
      agentFlags: ["--launcher=posix", "--isolation=posix/cpu,posix/mem"],
    });
  });
  after(() => cluster?.stop());

  it("holds little of it, and others read on", async () => {
    const agent = cluster.agents[0]!;
    const id = { value: "writes" };
    const call = (body: object, signal?: AbortSignal, more: object = {}): Promise<Response> =>
      fetch(`http://127.0.0.1:${agent.port}/api/v1`, {
        method: "POST",
        headers: { "content-type": "application/json", ...more },
        body: JSON.stringify(body),
        signal: signal ?? null,
      });
    const directory = mkdtempSync(join(tmpdir(), "tepui-load-"));
    const value = `while [ ! -e ${directory}/go ]; do sleep 0.05; done; yes | head -c ${OUTPUT_BYTES}`;
    const resources = ["cpus", "mem"].map((name) => ({ name, type: "SCALAR", scalar: { value: 0.1 } }));
    const launch = { container_id: id, command: { value }, resources };
    expect((await call({ type: "LAUNCH_CONTAINER", launch_container: launch })).status).to.equal(200);
    const before = agent.memory().now;
    const leave = new AbortController();
    const attach = (): Promise<Response> =>
      call({ type: "ATTACH_CONTAINER_OUTPUT", attach_container_output: { container_id: id } }, leave.signal, {
        accept: "application/recordio",
        "message-accept": "application/x-protobuf",
      });
    try {
      const deaf = await Promise.all(Array.from({ length: 20 }, attach));
      const reading = await attach();
      for (const { status } of [...deaf, reading]) expect(status).to.equal(200);
      writeFileSync(join(directory, "go"), "");
      let bytes = 0;
      for await (const chunk of reading.body!) bytes += (chunk as Uint8Array).length;
      expect(bytes).to.be.greaterThan(OUTPUT_BYTES);
      expect(agent.memory().peak - before).to.be.lessThan(150);
      const wait = { type: "WAIT_CONTAINER", wait_container: { container_id: id } };
      expect((await call(wait)).status, "the container is done").to.equal(200);
    } finally {
      leave.abort();
      rmSync(directory, { recursive: true });
    }
  });
});
