import { request as httpRequest, type IncomingMessage } from "node:http";
import { AgentEndpoint } from "../../../plugins/agent-operator-http/agent-endpoint.js";
import * as codecs from "../../../proto/gen/json/mesos/v1/agent/agent.js";
import type { ProcessIO } from "../../../proto/gen/mesos/v1/agent/agent.js";
import type { AgentView } from "../../../sdk/contracts/agent-view.js";
import type { Files } from "../../../sdk/contracts/files.js";
import { TimedVerbosity } from "../../../sdk/contracts/log-verbosity.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { RecordDecoder } from "../../../sdk/recordio/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { eventually } from "../../support/eventually.js";
import { type Rig, startServer } from "../http-server/support.js";
import { ScriptedContainers } from "./scripted-containers.js";

export const HEARTBEAT_MS = 30_000;
export const RECORDS = {
  "content-type": "application/recordio",
  "message-content-type": "application/json",
};

type Headers = Readonly<Record<string, string>>;

/** The agent's API on a free port, over scripted containers. */
export class EndpointBench {
  readonly containers = new ScriptedContainers();
  readonly clock = new VirtualClock();
  readonly logger = new MemoryLogger();
  readonly metrics = new MetricsRegistry(this.clock);
  readonly verbosity = new TimedVerbosity(this.clock);
  ready = true;
  /** What can be read and listed: path -> text. */
  readonly files = new Map<string, string>();
  /** What there is to read of the agent. */
  readonly view: { -readonly [K in keyof AgentView]?: AgentView[K] } = {};
  private rig: Rig | undefined;

  static async open(): Promise<EndpointBench> {
    const bench = new EndpointBench();
    const { containers, clock, logger, metrics, verbosity } = bench;
    const view = bench.view as AgentView;
    const endpoint = new AgentEndpoint({
      containers,
      view,
      clock,
      logger,
      metrics,
      verbosity,
      files: filesOf(bench.files),
      build: { version: "1.12.0", buildTime: 1_795_332_869 },
      ready: () => bench.ready,
      heartbeatInterval: HEARTBEAT_MS,
    });
    bench.rig = await startServer((server) => server.route(endpoint));
    return bench;
  }

  async close(): Promise<void> {
    await this.rig?.server.stop();
  }

  /** One call, one answer. */
  async call(
    call: object | string | Uint8Array,
    headers: Headers = {},
  ): Promise<{ status: number; body: string; type: string | null }> {
    const text = call instanceof Uint8Array || typeof call === "string";
    const answer = await fetch(`${this.rig!.base}/api/v1`, {
      method: "POST",
      body: text ? (call as string) : JSON.stringify(call),
      headers: { "content-type": "application/json", ...headers },
    });
    return { status: answer.status, body: await answer.text(), type: answer.headers.get("content-type") };
  }

  /** One call, one answer, neither of which need be text. */
  async raw(body: Uint8Array, headers: Headers): Promise<{ type: string | null; body: Buffer }> {
    const answer = await fetch(`${this.rig!.base}/api/v1`, {
      method: "POST",
      body: Buffer.from(body),
      headers,
    });
    return { type: answer.headers.get("content-type"), body: Buffer.from(await answer.arrayBuffer()) };
  }

  async get(): Promise<number> {
    return (await fetch(`${this.rig!.base}/api/v1`)).status;
  }

  /** A call to which there is no answer yet. Gives what breaks it off. */
  ask(call: object): () => void {
    const sent = this.open({ "content-type": "application/json" });
    sent.on("error", () => undefined).end(JSON.stringify(call));
    return () => void sent.socket?.resetAndDestroy();
  }

  /** A call whose answer is a stream. */
  async listen(call: object, headers: Headers = {}): Promise<Listening> {
    const sent = this.open({ "content-type": "application/json", ...headers });
    sent.end(JSON.stringify(call));
    return new Listening(await answered(sent), () => sent.destroy());
  }

  /** A call that is a stream itself. */
  send(headers: Headers = RECORDS): Sending {
    return new Sending(this.open(headers));
  }

  private open(headers: Headers): ReturnType<typeof httpRequest> {
    return httpRequest(`${this.rig!.base}/api/v1`, { method: "POST", headers: { ...headers } });
  }
}

function filesOf(files: ReadonlyMap<string, string>): Files {
  const find = (path: string): string => {
    const text = files.get(path);
    if (text === undefined) throw new TepuiError("TEPUI_FILE_UNKNOWN", { detail: "" });
    return text;
  };
  return {
    attach: () => () => undefined,
    browse: async (path) => [{ path, size: BigInt(find(path).length), mode: 0o100644, uid: "root" }],
    read: async ({ path, offset, length }) => {
      const text = find(path);
      const end = length === undefined ? text.length : offset + length;
      return { size: text.length, data: Buffer.from(text.slice(offset, end)) };
    },
  };
}

function answered(sent: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
  });
}

export class Listening {
  readonly records: ProcessIO[] = [];
  ended = false;
  broken = false;

  constructor(
    readonly answer: IncomingMessage,
    readonly leave: () => void,
  ) {
    const decoder = new RecordDecoder();
    const { headers } = answer;
    const type = headers["message-content-type"] ?? headers["content-type"];
    answer.on("data", (chunk: Buffer) => {
      for (const record of decoder.push(chunk)) {
        const json = type === "application/json";
        this.records.push(
          json ? codecs.ProcessIO.json.read(Buffer.from(record).toString()) : codecs.ProcessIO.decode(record),
        );
      }
    });
    answer.on("end", () => {
      this.ended = true;
    });
    answer.on("error", () => {
      this.broken = true;
    });
  }

  async has(count: number): Promise<void> {
    await eventually(() => (this.records.length >= count ? true : undefined));
  }
}

export class Sending {
  private readonly answer: Promise<IncomingMessage>;

  constructor(private readonly sent: ReturnType<typeof httpRequest>) {
    this.answer = answered(sent);
    this.answer.catch(() => undefined);
    sent.on("error", () => undefined);
  }

  /** One record. */
  record(call: object | string): this {
    const text = typeof call === "string" ? call : JSON.stringify(call);
    this.sent.write(`${Buffer.byteLength(text)}\n${text}`);
    return this;
  }

  container(id: object): this {
    const part = { type: "CONTAINER_ID", container_id: id };
    return this.record({ type: "ATTACH_CONTAINER_INPUT", attach_container_input: part });
  }

  io(message: object): this {
    const part = { type: "PROCESS_IO", process_io: message };
    return this.record({ type: "ATTACH_CONTAINER_INPUT", attach_container_input: part });
  }

  type(text: string): this {
    return this.io({ type: "DATA", data: { type: "STDIN", data: Buffer.from(text).toString("base64") } });
  }

  end(): this {
    this.sent.end();
    return this;
  }

  leave(): void {
    this.sent.destroy();
  }

  async status(): Promise<{ status: number | undefined; body: string }> {
    const answer = await this.answer;
    let body = "";
    for await (const chunk of answer) body += String(chunk);
    return { status: answer.statusCode, body };
  }
}
