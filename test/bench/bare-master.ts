/** A master with as little of its own as possible, so that a bench measures one agent: RunTask, and an acknowledgement for each update. */
import { randomUUID } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import {
  RegisterSlaveMessage,
  RunTaskMessage,
  SlaveRegisteredMessage,
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
} from "../../proto/gen/mesos/internal/messages.js";
import { FrameworkInfo, type Offer, TaskInfo, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { isTerminal } from "../../sdk/task-states.js";
import type { TaskShape } from "./task-shape.js";
import { FrameReader, frame, type Received } from "./wire-frame.js";

const FRAMEWORK_ID = { value: "bench" };
const FRAMEWORK = FrameworkInfo.fromPartial({
  id: FRAMEWORK_ID,
  user: process.env.USER ?? "root",
  name: "bench",
  roles: ["*"],
  capabilities: [{ type: 6 }],
});
const ACCEPTED = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";

interface Agent {
  readonly id: string;
  readonly pid: string;
  readonly socket: Socket;
}

interface Running {
  readonly began: number;
  readonly resolve: (milliseconds: number) => void;
  readonly reject: (error: Error) => void;
}

/** Takes one agent. */
export class BareMaster {
  private readonly server: Server;
  private readonly running = new Map<string, Running>();
  private readonly sockets = new Set<Socket>();
  private registered!: (agent: Agent) => void;
  private readonly agent = new Promise<Agent>((resolve) => {
    this.registered = resolve;
  });
  private count = 0;
  port = 0;

  private constructor() {
    this.server = createServer({ noDelay: true }, (socket) => this.accept(socket));
  }

  static async start(): Promise<BareMaster> {
    const master = new BareMaster();
    await new Promise<void>((resolve) => master.server.listen(0, "127.0.0.1", resolve));
    master.port = (master.server.address() as { port: number }).port;
    return master;
  }

  /** Milliseconds from RunTask to TASK_FINISHED, with an acknowledgement of each update in between. */
  async run(shape: TaskShape): Promise<number> {
    const agent = await this.agent;
    const offer = { agent_id: { value: agent.id }, allocation_info: { role: "*" } } as Offer;
    const task = TaskInfo.fromPartial(shape.task(offer, this.count++) as TaskInfo);
    const body = RunTaskMessage.encode(
      RunTaskMessage.fromPartial({ framework_id: FRAMEWORK_ID, framework: FRAMEWORK, task, pid: "" }),
    ).finish();
    return new Promise((resolve, reject) => {
      this.running.set(task.task_id?.value ?? "", { began: performance.now(), resolve, reject });
      this.say(agent, "RunTaskMessage", body);
    });
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private get pid(): string {
    return `master@127.0.0.1:${this.port}`;
  }

  private say({ pid, socket }: Pick<Agent, "pid" | "socket">, name: string, body: Uint8Array): void {
    socket.write(frame({ from: this.pid, to: pid, name: `mesos.internal.${name}`, body }));
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    const reader = new FrameReader();
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      reader.push(chunk, (message) => {
        socket.write(ACCEPTED);
        this.take(message);
      });
    });
  }

  private take({ name, from, body }: Received): void {
    if (name === "mesos.internal.RegisterSlaveMessage")
      this.register(from, RegisterSlaveMessage.decode(body));
    if (name === "mesos.internal.StatusUpdateMessage") void this.update(StatusUpdateMessage.decode(body));
  }

  private register(pid: string, { slave }: RegisterSlaveMessage): void {
    const [host = "", port] = pid.slice(pid.indexOf("@") + 1).split(":");
    const socket = connect({ host, port: Number(port), noDelay: true });
    this.sockets.add(socket);
    socket.on("data", () => undefined);
    socket.on("error", (error) => {
      for (const { reject } of this.running.values()) reject(error);
    });
    const agent = { id: slave?.id?.value ?? randomUUID(), pid, socket };
    const answer = SlaveRegisteredMessage.fromPartial({ slave_id: { value: agent.id } });
    this.say(agent, "SlaveRegisteredMessage", SlaveRegisteredMessage.encode(answer).finish());
    this.registered(agent);
  }

  private async update({ update }: StatusUpdateMessage): Promise<void> {
    const at = performance.now();
    const status = update?.status;
    if (status?.task_id === undefined || status.state === undefined) return;
    const agent = await this.agent;
    if (update?.uuid !== undefined) {
      const acknowledgement = StatusUpdateAcknowledgementMessage.fromPartial({
        slave_id: { value: agent.id },
        framework_id: FRAMEWORK_ID,
        task_id: status.task_id,
        uuid: update.uuid,
      });
      const body = StatusUpdateAcknowledgementMessage.encode(acknowledgement).finish();
      this.say(agent, "StatusUpdateAcknowledgementMessage", body);
    }
    const taskId = status.task_id.value ?? "";
    const running = this.running.get(taskId);
    if (running === undefined || !isTerminal(status.state)) return;
    this.running.delete(taskId);
    if (status.state === TaskState.TASK_FINISHED) running.resolve(at - running.began);
    else running.reject(new Error(`${taskId}: ${TaskState[status.state]} ${status.message}`));
  }
}
