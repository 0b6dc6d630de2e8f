import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { runExec } from "../../../../bin/commands/task/exec.js";
import type { TerminalProcess } from "../../../../bin/commands/task/terminal.js";
import {
  Response as AgentResponse,
  ProcessIO,
  ProcessIO_Data_Type,
  ProcessIO_Type,
} from "../../../../proto/gen/mesos/v1/agent/agent.js";
import { Response as MasterResponse } from "../../../../proto/gen/mesos/v1/master/master.js";
import { TaskState } from "../../../../proto/gen/mesos/v1/mesos.js";
import { encodeRecord } from "../../../../sdk/recordio/index.js";

const said = ProcessIO.encode(
  ProcessIO.fromPartial({
    type: ProcessIO_Type.DATA,
    data: { type: ProcessIO_Data_Type.STDOUT, data: Buffer.from("hi\n") },
  }),
).finish();

/** A master and an agent in one, with one task. The agent refuses every input, and the command ends then. */
class Daemons {
  private readonly server: Server;
  private output: ServerResponse | undefined;

  constructor(private readonly refusal: { readonly status: number; readonly text: string }) {
    this.server = createServer((request, reply) => void this.answer(request, reply));
  }

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    return this.address;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    if (request.headers["content-type"] === "application/recordio") {
      reply.writeHead(this.refusal.status).end(this.refusal.text);
      this.output?.end();
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { type } = JSON.parse(Buffer.concat(parts).toString()) as { type: string };
    if (type === "LAUNCH_NESTED_CONTAINER_SESSION") {
      this.output = reply;
      reply.write(encodeRecord(said));
    } else reply.end(this.content(type));
  }

  private content(type: string): Uint8Array {
    if (type === "GET_TASKS") {
      const task = {
        name: "t",
        task_id: { value: "t" },
        agent_id: { value: "a" },
        framework_id: { value: "f" },
        state: TaskState.TASK_RUNNING,
        statuses: [
          {
            task_id: { value: "t" },
            state: TaskState.TASK_RUNNING,
            container_status: { container_id: { value: "c" } },
          },
        ],
      };
      return MasterResponse.encode(MasterResponse.fromPartial({ get_tasks: { tasks: [task] } })).finish();
    }
    if (type === "GET_AGENTS") {
      const info = { id: { value: "a" }, hostname: "h" };
      const agent = { agent_info: info, active: true, version: "1", pid: `slave(1)@${this.address}` };
      return MasterResponse.encode(MasterResponse.fromPartial({ get_agents: { agents: [agent] } })).finish();
    }
    const ended = { wait_nested_container: { exit_status: 3 << 8 } };
    return AgentResponse.encode(AgentResponse.fromPartial(ended)).finish();
  }
}

async function exec(refusal: { status: number; text: string }) {
  const daemons = new Daemons(refusal);
  const out = { stdout: "", stderr: "" };
  const stream = (name: keyof typeof out) =>
    new PassThrough().on("data", (chunk) => {
      out[name] += String(chunk);
    });
  const stdin = new PassThrough();
  stdin.end("input");
  try {
    const process = { stdin, stdout: stream("stdout"), stderr: stream("stderr"), env: {} };
    const code = await runExec(
      { task: "t", master: await daemons.listen(), command: ["true"], interactive: true, tty: false },
      process as unknown as TerminalProcess & { stderr: NodeJS.WriteStream; env: NodeJS.ProcessEnv },
    );
    return { code, ...out };
  } finally {
    daemons.close();
  }
}

describe("tepui task exec, whose input is refused", () => {
  it("says nothing of it when the command has ended, or reads no more", async () => {
    for (const status of [404, 400]) {
      const answer = await exec({ status, text: "the container reads no input any more" });
      expect(answer).to.deep.equal({ code: 3, stdout: "hi\n", stderr: "" });
    }
  });

  it("says why it is otherwise, and shows the output all the same", async () => {
    const answer = await exec({ status: 409, text: "attached already" });
    expect(answer).to.deep.equal({
      code: 3,
      stdout: "hi\n",
      stderr: "tepui task exec: attached already\n",
    });
  });
});
