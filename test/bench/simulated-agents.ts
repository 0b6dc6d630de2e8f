/**
 * A process of simulated agents for benches of the master. Each host has its own loopback address, its own connection to the master and
 * takes the master's own connection to it, as real ones do, and has one agent or several (`slave(1)`, `slave(2)`, ...). An agent answers
 * RunTask at once with TASK_RUNNING and, when that is acknowledged, TASK_FINISHED.
 *
 * Arguments: master `ip:port`, number of agents, agents a host. Standard input, a line each: `register`, `prepare TASKS FRAMEWORKS`,
 * `reregister`, answered by a line when it is done for all. Ends with its standard input.
 */
import { randomFillSync } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import {
  PingSlaveMessage,
  PongSlaveMessage,
  RegisterSlaveMessage,
  ReregisterSlaveMessage,
  RunTaskMessage,
  SlaveRegisteredMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import {
  AgentInfo,
  FrameworkInfo,
  Task,
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

  connect(): void {
    const socket = connect({
      host: masterIp,
      port: Number(masterPort),
      localAddress: this.ip,
      noDelay: true,
    });
    this.#socket = socket;
    socket.on("data", () => {});
    // The master may die; if it does not come back, that is noticed when it is needed again.
    socket.on("error", (error) => {
      if (awaited !== undefined) fail(`${this.ip}: ${error.message}`);
    });
  }

  /** Writes of one turn leave together. */
  send(message: { from: string; to: string; name: string; body: Uint8Array }): void {
    this.write(frame(message));
  }

  write(bytes: Buffer): void {
    if (this.#corked.length === 0) setImmediate(() => this.#flush());
    this.#corked.push(bytes);
  }

  #flush(): void {
    this.#socket?.write(Buffer.concat(this.#corked));
    this.#corked = [];
  }
}

class SimulatedAgent {
  id = "";
  readonly #pid: string;
  #reregistration: Buffer = Buffer.alloc(0);
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
    const body = RegisterSlaveMessage.encode(RegisterSlaveMessage.fromPartial(this.#facts())).finish();
    this.#send("mesos.internal.RegisterSlaveMessage", body);
  }

  /** Tasks that run, evenly of these frameworks, for `reregister`. */
  prepare(tasks: number, frameworks: readonly FrameworkInfo[]): void {
    const message = ReregisterSlaveMessage.fromPartial({
      ...this.#facts(),
      frameworks: [...frameworks],
      tasks: Array.from({ length: tasks }, (_, i) => this.#task(i, frameworks[i % frameworks.length]!)),
    });
    this.#reregistration = frame({
      from: this.#pid,
      to: masterPid,
      name: "mesos.internal.ReregisterSlaveMessage",
      body: ReregisterSlaveMessage.encode(message).finish(),
    });
  }

  reregister(): void {
    this.host.write(this.#reregistration);
  }

  #facts() {
    return {
      slave: AgentInfo.fromPartial({
        ...(this.id !== "" && { id: { value: this.id } }),
        hostname: this.host.ip,
        port: this.port,
        resources: [scalar("cpus", 1000), scalar("mem", 1_000_000), scalar("disk", 1_000_000)],
      }),
      version: "1.12.0",
      // MULTI_ROLE, HIERARCHICAL_ROLE, RESERVATION_REFINEMENT
      agent_capabilities: [{ type: 1 }, { type: 2 }, { type: 3 }],
      resource_version_uuid: { value: uuid() },
    };
  }

  #task(index: number, framework: FrameworkInfo): Task {
    const id = { value: `${this.host.ip}-${this.#pid.slice(0, 8)}-task-${index}` };
    const allocation_info = { role: framework.roles[0] };
    const [updateId, agent_id] = [uuid(), { value: this.id }];
    return Task.fromPartial({
      name: `task ${index}`,
      task_id: id,
      framework_id: framework.id,
      agent_id,
      state: TaskState.TASK_RUNNING,
      resources: [scalar("cpus", 0.1), scalar("mem", 32)].map((one) => ({ ...one, allocation_info })),
      statuses: [
        {
          task_id: id,
          state: TaskState.TASK_RUNNING,
          source: TaskStatus_Source.SOURCE_EXECUTOR,
          agent_id,
          executor_id: id,
          timestamp: Date.now() / 1000,
          uuid: updateId,
        },
      ],
      status_update_state: TaskState.TASK_RUNNING,
      status_update_uuid: updateId,
      labels: { labels: [{ key: "tier", value: "web" }] },
      user: "root",
    });
  }

  receive(message: Received): void {
    switch (message.name) {
      case "mesos.internal.SlaveRegisteredMessage":
        this.id = SlaveRegisteredMessage.decode(message.body).slave_id?.value ?? "";
        awaited?.delete(this);
        if (awaited?.size === 0) done("registered");
        break;
      case "mesos.internal.SlaveReregisteredMessage":
        awaited?.delete(this);
        if (awaited?.size === 0) done("re-registered");
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

/** The agents that wait for the answer to the command under way. */
let awaited: Set<SimulatedAgent> | undefined;

function done(what: string): void {
  awaited = undefined;
  process.stdout.write(`${what}\n`);
}

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

function obey(line: string): void {
  const [command = "", ...numbers] = line.split(" ");
  const agents = [...hosts.values()].flatMap((host) => [...host.agents.values()]);
  if (command === "prepare") {
    const [tasks = 0, frameworks = 0] = numbers.map(Number);
    const infos = Array.from({ length: frameworks }, (_, i) =>
      FrameworkInfo.fromPartial({
        id: { value: `framework-${i}` },
        user: "root",
        name: `framework ${i}`,
        roles: [`role-${i}`],
        // PARTITION_AWARE, MULTI_ROLE
        capabilities: [{ type: 5 }, { type: 6 }],
        checkpoint: true,
        failover_timeout: 3600,
      }),
    );
    for (const agent of agents) agent.prepare(tasks, infos);
    done("prepared");
    return;
  }
  awaited = new Set(agents);
  for (const host of hosts.values()) {
    host.connect();
    for (const agent of host.agents.values()) {
      if (command === "register") agent.register();
      else agent.reregister();
    }
  }
}

const lines = createInterface({ input: process.stdin });
lines.on("line", obey);
lines.on("close", () => process.exit(0));
