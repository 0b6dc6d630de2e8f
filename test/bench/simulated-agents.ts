/**
 * A process of simulated agents for `bench master`. Each host has its own loopback address, its own connection to the master and
 * takes the master's own connection to it, as real ones do, and has one agent or several (`slave(1)`, `slave(2)`, ...). An agent answers
 * RunTask at once with TASK_RUNNING and, when that is acknowledged, TASK_FINISHED.
 *
 * Arguments: master `ip:port`, number of agents, agents a host. Prints `registered <n>` when all have their ids, then stays.
 */
import { randomFillSync } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import {
  PingSlaveMessage,
  PongSlaveMessage,
  RegisterSlaveMessage,
  RunTaskMessage,
  SlaveRegisteredMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import {
  AgentInfo,
  TaskState,
  TaskStatus,
  TaskStatus_Source,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { FrameReader, frame, type Received } from "./wire-frame.js";

const [master = "", countText = "", eachText = "1"] = process.argv.slice(2);
const count = Number(countText);
const each = Number(eachText);
const [masterIp = "", masterPort = ""] = master.split(":");
const masterPid = `master@${master}`;

/** One address with its connection to the master. */
class Host {
  /** By actor, `slave(1)`. */
  readonly agents = new Map<string, SimulatedAgent>();
  #socket: Socket | undefined;
  #corked: Buffer[] = [];

  constructor(readonly ip: string) {}

  register(): void {
    const socket = connect({
      host: masterIp,
      port: Number(masterPort),
      localAddress: this.ip,
      noDelay: true,
    });
    this.#socket = socket;
    socket.on("data", () => {});
    socket.on("error", (error) => fail(`${this.ip}: ${error.message}`));
    for (const agent of this.agents.values()) agent.register();
  }

  /** Writes of one turn leave together. */
  send(message: { from: string; to: string; name: string; body: Uint8Array }): void {
    if (this.#corked.length === 0) setImmediate(() => this.#flush());
    this.#corked.push(frame(message));
  }

  #flush(): void {
    this.#socket?.write(Buffer.concat(this.#corked));
    this.#corked = [];
  }
}

class SimulatedAgent {
  id = "";
  readonly #pid: string;
  /** Task id -> uuid of its running update, then of its finished one. */
  readonly #waiting = new Map<string, { frameworkId: string; finished: boolean }>();

  constructor(
    readonly host: Host,
    actor: string,
    readonly port: number,
  ) {
    this.#pid = `${actor}@${host.ip}:${port}`;
  }

  register(): void {
    this.#send(
      "mesos.internal.RegisterSlaveMessage",
      RegisterSlaveMessage.encode(
        RegisterSlaveMessage.fromPartial({
          slave: AgentInfo.fromPartial({
            hostname: this.host.ip,
            port: this.port,
            resources: [scalar("cpus", 1000), scalar("mem", 1_000_000), scalar("disk", 1_000_000)],
          }),
          version: "1.12.0",
          agent_capabilities: [{ type: 1 }, { type: 2 }, { type: 3 }],
          resource_version_uuid: { value: uuid() },
        }),
      ).finish(),
    );
  }

  receive(message: Received): void {
    switch (message.name) {
      case "mesos.internal.SlaveRegisteredMessage":
        if (this.id === "") registered++;
        this.id = SlaveRegisteredMessage.decode(message.body).slave_id?.value ?? "";
        if (registered === count) process.stdout.write(`registered ${registered}\n`);
        break;
      case "mesos.internal.PingSlaveMessage":
        PingSlaveMessage.decode(message.body);
        this.#sendTo(
          message.from,
          "mesos.internal.PongSlaveMessage",
          PongSlaveMessage.encode(PongSlaveMessage.fromPartial({})).finish(),
        );
        break;
      case "mesos.internal.RunTaskMessage": {
        const run = RunTaskMessage.decode(message.body);
        const taskId = run.task?.task_id?.value ?? "";
        const frameworkId = run.framework?.id?.value ?? run.framework_id?.value ?? "";
        this.#waiting.set(taskId, { frameworkId, finished: false });
        this.#update(taskId, frameworkId, TaskState.TASK_RUNNING);
        break;
      }
      case "mesos.internal.StatusUpdateAcknowledgementMessage": {
        const ack = StatusUpdateAcknowledgementMessage.decode(message.body);
        const taskId = ack.task_id?.value ?? "";
        const task = this.#waiting.get(taskId);
        if (task === undefined) break;
        if (task.finished) this.#waiting.delete(taskId);
        else {
          task.finished = true;
          this.#update(taskId, task.frameworkId, TaskState.TASK_FINISHED);
        }
        break;
      }
      default:
        break;
    }
  }

  #update(taskId: string, frameworkId: string, state: TaskState): void {
    const id = uuid();
    const timestamp = Date.now() / 1000;
    this.#send(
      "mesos.internal.StatusUpdateMessage",
      StatusUpdateMessage.encode({
        update: {
          framework_id: { value: frameworkId },
          executor_id: { value: taskId },
          slave_id: { value: this.id },
          status: TaskStatus.fromPartial({
            task_id: { value: taskId },
            state,
            source: TaskStatus_Source.SOURCE_EXECUTOR,
            agent_id: { value: this.id },
            executor_id: { value: taskId },
            timestamp,
            uuid: id,
          }),
          timestamp,
          uuid: id,
          latest_state: state,
        },
        pid: this.#pid,
      }).finish(),
    );
  }

  #send(name: string, body: Uint8Array): void {
    this.#sendTo(masterPid, name, body);
  }

  #sendTo(to: string, name: string, body: Uint8Array): void {
    this.host.send({ from: this.#pid, to, name, body });
  }
}

function addressOf(index: number): string {
  return `127.${1 + Math.floor(index / 62_500)}.${Math.floor(index / 250) % 250}.${1 + (index % 250)}`;
}

function scalar(name: string, value: number) {
  return { name, type: Value_Type.SCALAR, scalar: { value } };
}

const entropy = Buffer.alloc(16 * 256);
let used = entropy.length;
function uuid(): Buffer {
  if (used === entropy.length) {
    randomFillSync(entropy);
    used = 0;
  }
  used += 16;
  return Buffer.from(entropy.subarray(used - 16, used));
}

function fail(text: string): never {
  process.stderr.write(`simulated agents: ${text}\n`);
  process.exit(1);
}

let registered = 0;
const hosts = new Map<string, Host>();

const server = createServer({ noDelay: true }, (socket) => {
  const host = hosts.get(socket.localAddress?.replace("::ffff:", "") ?? "");
  if (host === undefined) {
    socket.destroy();
    return;
  }
  const reader = new FrameReader();
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    let accepted = 0;
    reader.push(chunk, (message) => {
      accepted++;
      host.agents.get(message.actor)?.receive(message);
    });
    if (accepted > 0) socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".repeat(accepted));
  });
});
server.on("error", (error) => fail(error.message));
server.listen({ port: 0, host: "0.0.0.0", backlog: 4096 }, () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  for (let i = 0; i < count; i++) {
    const ip = addressOf(Math.floor(i / each));
    const host = hosts.get(ip) ?? new Host(ip);
    hosts.set(ip, host);
    const actor = `slave(${1 + (i % each)})`;
    host.agents.set(actor, new SimulatedAgent(host, actor, port));
  }
  process.stdout.write("ready\n");
});
process.stdin.once("data", () => {
  for (const host of hosts.values()) host.register();
});
process.stdin.once("end", () => process.exit(0));
