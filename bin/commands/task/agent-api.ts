import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import * as codecs from "../../../proto/gen/json/mesos/v1/agent/agent.js";
import {
  ProcessIO_Data_Type as DataType,
  type ProcessIO,
  ProcessIO_Type,
} from "../../../proto/gen/mesos/v1/agent/agent.js";
import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import { reasonOf } from "../../../sdk/client/index.js";
import { encodeRecord, RecordDecoder } from "../../../sdk/recordio/index.js";

/** How long the agent may take to answer at the end of the input, in milliseconds. */
const ANSWER_MS = 1000;

export interface OutputPart {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** An answer other than what was hoped for, with the agent's words. */
export class AgentRefusal extends Error {
  override readonly name = "AgentRefusal";

  constructor(
    readonly status: number,
    text: string,
  ) {
    super(text.trim() === "" ? `the agent answered ${status}` : text.trim());
  }
}

/** The calls of an agent's v1 API that concern containers. */
export class AgentApi {
  /** @param base `http://host:port` */
  constructor(private readonly base: string) {}

  /** One call, one answer. Throws AgentRefusal. */
  async call(call: object): Promise<Buffer> {
    const sent = this.open({ "Content-Type": "application/json", Accept: "application/x-protobuf" });
    sent.end(JSON.stringify(call));
    const answer = await this.answered(sent);
    const body = await bodyOf(answer);
    if (answer.statusCode !== 200) throw new AgentRefusal(answer.statusCode ?? 0, body.toString());
    return body;
  }

  /** A call that is answered with what a container writes, until the signal is aborted. Throws AgentRefusal. */
  async listen(call: object, signal?: AbortSignal): Promise<AsyncIterable<OutputPart>> {
    const headers = { "Message-Accept": "application/x-protobuf", Accept: "application/recordio" };
    const sent = this.open({ "Content-Type": "application/json", ...headers });
    sent.end(JSON.stringify(call));
    signal?.addEventListener("abort", () => sent.destroy(), { once: true });
    const answer = await this.answered(sent);
    if (answer.statusCode !== 200) {
      throw new AgentRefusal(answer.statusCode ?? 0, (await bodyOf(answer)).toString());
    }
    return outputOf(answer);
  }

  /** Attaches to the input of a container. */
  type(containerId: ContainerID): InputCall {
    const headers = { "Message-Content-Type": "application/json", Accept: "application/json" };
    const sent = this.open({ "Content-Type": "application/recordio", ...headers });
    return new InputCall(sent, containerId);
  }

  private open(headers: Readonly<Record<string, string>>): ClientRequest {
    return httpRequest(`${this.base}/api/v1`, { method: "POST", headers, agent: false });
  }

  private async answered(sent: ClientRequest): Promise<IncomingMessage> {
    try {
      return await answered(sent);
    } catch (error) {
      const { host } = new URL(this.base);
      throw new Error(`the agent at ${host} does not answer: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** The way into a container, as a call that lasts. */
export class InputCall {
  /** Resolves when the agent answers: the container has ended, or takes no more. Rejects with AgentRefusal. */
  readonly answered: Promise<void>;

  constructor(
    private readonly sent: ClientRequest,
    containerId: ContainerID,
  ) {
    this.answered = this.answer();
    this.answered.catch(() => undefined);
    this.record({ type: "CONTAINER_ID", container_id: containerId });
  }

  /** False when it is better to wait for `drained`. Nothing is the end of the input. */
  data(data: Buffer): boolean {
    return this.io({ type: "DATA", data: { type: "STDIN", data: data.toString("base64") } });
  }

  resize({ rows, columns }: { readonly rows: number; readonly columns: number }): void {
    const info = { window_size: { rows, columns } };
    this.io({ type: "CONTROL", control: { type: "TTY_INFO", tty_info: info } });
  }

  heartbeat(milliseconds: number): void {
    const interval = { nanoseconds: milliseconds * 1_000_000 };
    this.io({ type: "CONTROL", control: { type: "HEARTBEAT", heartbeat: { interval } } });
  }

  /** Also when the call is over. */
  drained(): Promise<void> {
    const { sent } = this;
    return new Promise((resolve) => {
      const done = (): void => {
        sent.off("drain", done).off("close", done);
        resolve();
      };
      sent.on("drain", done).on("close", done);
    });
  }

  /** Lets go of the container's input, without ending it. */
  close(): void {
    this.sent.end();
    // Whoever does not answer is left alone.
    setTimeout(() => this.sent.destroy(), ANSWER_MS).unref();
  }

  private io(message: object): boolean {
    return this.record({ type: "PROCESS_IO", process_io: message });
  }

  private record(part: object): boolean {
    if (this.sent.destroyed || this.sent.writableEnded) return true;
    const call = { type: "ATTACH_CONTAINER_INPUT", attach_container_input: part };
    return this.sent.write(encodeRecord(Buffer.from(JSON.stringify(call))));
  }

  private async answer(): Promise<void> {
    const answer = await answered(this.sent);
    const body = await bodyOf(answer);
    if (answer.statusCode !== 200) throw new AgentRefusal(answer.statusCode ?? 0, body.toString());
  }
}

function answered(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.on("error", reject);
  });
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

async function* outputOf(answer: IncomingMessage): AsyncGenerator<OutputPart, void> {
  const decoder = new RecordDecoder();
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    for (const record of decoder.push(chunk)) {
      const part = partOf(codecs.ProcessIO.decode(record));
      if (part !== undefined) yield part;
    }
  }
}

function partOf({ type, data }: ProcessIO): OutputPart | undefined {
  if (type !== ProcessIO_Type.DATA || data?.data === undefined) return undefined;
  return { stream: data.type === DataType.STDERR ? "stderr" : "stdout", data: data.data };
}
