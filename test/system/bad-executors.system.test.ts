import { connect } from "node:net";
import { expect } from "chai";
import { RegisterExecutorMessage, StatusUpdateMessage } from "../../proto/gen/mesos/internal/messages.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList, SchedulerClient } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";

const STRANGER = "executor(1)@127.0.0.1:9";

describe("executors that are none", function () {
  this.timeout(60_000);
  let cluster: Cluster | undefined;
  let agent = "";

  before(async () => {
    cluster = await startCluster({
      agentFlags: [
        "--launcher=posix",
        "--isolation=posix/cpu,posix/mem",
        "--executor_registration_timeout=5secs",
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
        ...Array.from({ length: 500 }, (): [string, Uint8Array] => ["StatusUpdateMessage", update(id)]),
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
      expect(statuses).to.deep.equal(["TASK_FAILED Executor did not register within 5secs"]);
      expect((await fetch(`${agent}/health`)).status).to.equal(200);
      const metrics = (await getJson(cluster!.agents[0]!, "/metrics/snapshot")) as Record<string, number>;
      expect(metrics["slave/invalid_status_updates"]).to.equal(502);
      expect(metrics["slave/executors_terminated"]).to.equal(1);
      expect(cluster!.agents[0]!.process.exitCode).to.equal(null);
    } finally {
      await client.teardown();
    }
  });
});
