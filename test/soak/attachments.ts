import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { ProcessIO } from "../../proto/gen/json/mesos/v1/agent/agent.js";
import { type ContainerID, ContainerInfo_Type, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { encodeRecord, RecordDecoder } from "../../sdk/recordio/index.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { eventually } from "../support/eventually.js";
import { OneAgent } from "../support/one-agent.js";

export interface AttachmentsOptions {
  readonly cycles: number;
  readonly seed: number;
  readonly launcher: "linux" | "posix";
  readonly progress?: (text: string) => void;
}

export interface AttachmentsResult {
  /** How many cycles ended in which way. */
  readonly ends: Readonly<Record<string, number>>;
  /** What is left over or went wrong; empty: nothing. */
  readonly faults: readonly string[];
}

/** Fraction of the cycles; the others attach to the task itself. */
const SESSIONS = 0.2;
const CUT = 0.5;
/** Time within which a connection is cut: before, during and after its few exchanges. */
const CUT_WITHIN_MS = 40;
/** A session that nobody ever listened to is kept for half a minute. */
const PATIENCE_MS = 60_000;

/**
 * A task with a terminal on a real agent. Clients attach to it through the agent's API, or start sessions in it; half of them vanish at a
 * random moment without closing. At the end, the agent and its descendants must have the processes, terminals and open files that they had
 * at the start.
 */
export async function attachAndLetGo(options: AttachmentsOptions): Promise<AttachmentsResult> {
  const isolation = options.launcher === "linux" ? "filesystem/linux,namespaces/pid" : "posix/mem";
  const one = await OneAgent.open([`--launcher=${options.launcher}`, `--isolation=${isolation}`]);
  try {
    return await new Attachments(options, one).run();
  } finally {
    await one.close();
  }
}

class Attachments {
  private readonly random: SeededRandom;
  private readonly ends: Record<string, number> = {};
  private readonly faults: string[] = [];

  constructor(
    private readonly options: AttachmentsOptions,
    private readonly one: OneAgent,
  ) {
    this.random = new SeededRandom(options.seed);
  }

  async run(): Promise<AttachmentsResult> {
    const { cycles, progress } = this.options;
    const task = await this.task();
    // The first of each kind opens what stays open.
    await this.talk(task);
    await this.session(task, undefined);
    const before = await this.settled(this.holdings());
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const cut = this.random.next() < CUT ? this.random.next() * CUT_WITHIN_MS : undefined;
      const kind = this.random.next() < SESSIONS ? "session" : "attachment";
      const end = `${kind}s ${cut === undefined ? "ended" : "cut"}`;
      try {
        if (kind === "session") await this.session(task, cut);
        else if (cut === undefined) await this.talk(task);
        else await this.vanish(task, cut);
        this.ends[end] = (this.ends[end] ?? 0) + 1;
      } catch (error) {
        this.faults.push(`cycle ${cycle} (${end}): ${String(error)}`);
      }
      if (cycle % 10 === 0) progress?.(`${cycle} cycles`);
    }
    const after = await this.settled(before);
    for (const [what, count] of Object.entries(after))
      if (count > before[what]!) this.faults.push(`${what}: ${before[what]} before, ${count} after`);
    if (this.faults.length > 0)
      this.faults.push(`there are: ${descendants(this.one.agent.process.pid!).map(titleOf).join("; ")}`);
    return { ends: this.ends, faults: this.faults };
  }

  private async task(): Promise<ContainerID> {
    const { runner } = this.one;
    const script = "stty -echo; while read line; do echo got $line; done";
    const container = { type: ContainerInfo_Type.MESOS, volumes: [], network_infos: [], tty_info: {} };
    runner.run("attached", { value: script }, { container });
    await runner.reaches("attached", TaskState.TASK_RUNNING);
    return runner.last("attached")!.container_status!.container_id!;
  }

  /** Types a word, and leaves when it is answered. */
  private async talk(task: ContainerID): Promise<void> {
    const word = randomUUID();
    const output = this.output(task);
    const input = this.input(task);
    try {
      await output.begun;
      input.type(`${word}\n`);
      await output.says(`got ${word}\r\n`);
    } finally {
      await Promise.all([output.leave(), input.leave()]);
    }
  }

  private async vanish(task: ContainerID, within: number): Promise<void> {
    const connections = [this.output(task), this.input(task)];
    connections[1]!.type("x\n");
    await new Promise((resolve) => setTimeout(resolve, within));
    for (const connection of connections) connection.cut();
  }

  /** @param within milliseconds after which it is cut; undefined: it ends by itself */
  private async session(parent: ContainerID, within: number | undefined): Promise<void> {
    const id: ContainerID = { value: randomUUID(), parent };
    const output = this.open({
      type: "LAUNCH_NESTED_CONTAINER_SESSION",
      launch_nested_container_session: {
        container_id: id,
        command: { value: "echo begin; read line; echo end $line" },
        container: { type: "MESOS", tty_info: {} },
      },
    });
    if (within !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, within * 3));
      output.cut();
      return;
    }
    await output.says("begin\r\n");
    const input = this.input(id);
    input.type("now\n");
    await output.says("end now\r\n");
    await output.over;
    await input.leave();
    await this.call({ type: "REMOVE_NESTED_CONTAINER", remove_nested_container: { container_id: id } });
  }

  private output(id: ContainerID): Connection {
    return this.open({ type: "ATTACH_CONTAINER_OUTPUT", attach_container_output: { container_id: id } });
  }

  private input(id: ContainerID): Connection {
    const part = { type: "CONTAINER_ID", container_id: id };
    const connection = new Connection(this.one.agent.port, "application/recordio");
    connection.write({ type: "ATTACH_CONTAINER_INPUT", attach_container_input: part });
    return connection;
  }

  private open(call: object): Connection {
    const connection = new Connection(this.one.agent.port, "application/json");
    connection.end(call);
    return connection;
  }

  private async call(call: object): Promise<void> {
    const answer = await fetch(`http://127.0.0.1:${this.one.agent.port}/api/v1`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(call),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
  }

  /** What the agent and its descendants hold, once it is back to what it was, or does not change any more. */
  private async settled(wanted: Readonly<Record<string, number>>): Promise<Record<string, number>> {
    let now = this.holdings();
    const done = (): true | undefined => {
      now = this.holdings();
      return Object.keys(now).every((what) => now[what]! <= wanted[what]!) ? true : undefined;
    };
    await eventually(done, PATIENCE_MS).catch(() => undefined);
    return now;
  }

  private holdings(): Record<string, number> {
    const pids = descendants(this.one.agent.process.pid!);
    const files = pids.flatMap(openFiles);
    return {
      processes: pids.length,
      "open files": files.length,
      terminals: files.filter((file) => /^\/dev\/(ptmx|pts\/)/.test(file)).length,
    };
  }
}

/** A long-lived call of the agent's API. */
class Connection {
  private text = "";
  private readonly sent: ClientRequest;
  private readonly answer: Promise<IncomingMessage>;
  /** Resolves at the end of the response, however it ends. */
  readonly over: Promise<void>;
  private gone = false;

  constructor(port: number, type: "application/json" | "application/recordio") {
    const headers = {
      "Content-Type": type,
      Accept: type === "application/json" ? "application/recordio" : "application/json",
      ...(type === "application/json"
        ? { "Message-Accept": "application/json" }
        : { "Message-Content-Type": "application/json" }),
    };
    const options = { host: "127.0.0.1", port, path: "/api/v1", method: "POST", headers, agent: false };
    this.sent = httpRequest(options);
    this.answer = new Promise((resolve, reject) => {
      this.sent.once("response", resolve);
      this.sent.on("error", reject);
    });
    this.over = this.read();
    this.over.catch(() => undefined);
  }

  /** The agent has answered. */
  get begun(): Promise<void> {
    return this.answer.then(({ statusCode }) => {
      if (statusCode !== 200) throw new Error(`the agent answered ${statusCode}`);
    });
  }

  write(call: object): void {
    this.sent.write(encodeRecord(Buffer.from(JSON.stringify(call))));
  }

  end(call: object): void {
    this.sent.end(JSON.stringify(call));
  }

  type(text: string): void {
    const data = { type: "STDIN", data: Buffer.from(text).toString("base64") };
    const part = { type: "PROCESS_IO", process_io: { type: "DATA", data } };
    this.write({ type: "ATTACH_CONTAINER_INPUT", attach_container_input: part });
  }

  async says(text: string): Promise<void> {
    await this.begun;
    await eventually(() => (this.text.includes(text) ? true : undefined), 15_000).catch(() => {
      throw new Error(`not '${text}' but '${this.text}'`);
    });
  }

  /** Ends the call, and waits until the agent has noticed. */
  async leave(): Promise<void> {
    if (!this.sent.writableEnded) {
      this.sent.end();
      await this.over.catch(() => undefined);
      return;
    }
    this.cut();
  }

  cut(): void {
    this.gone = true;
    this.sent.destroy();
  }

  private async read(): Promise<void> {
    const decoder = new RecordDecoder();
    try {
      for await (const chunk of (await this.answer) as AsyncIterable<Buffer>) {
        if ((await this.answer).statusCode !== 200) continue;
        for (const record of decoder.push(chunk))
          this.text += ProcessIO.json.read(record.toString()).data?.data?.toString() ?? "";
      }
    } catch (error) {
      if (!this.gone) throw error;
    }
  }
}

/** A process and all of its descendants. */
function descendants(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [state, parent] = readFileSync(`/proc/${name}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ");
      if (state !== "Z") parents.set(Number(name), Number(parent));
    } catch {
      // It has just exited.
    }
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

function titleOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
    return words.join(" ").trim().slice(0, 120);
  } catch {
    return `${pid}, just ended`;
  }
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((file) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${file}`);
      } catch {
        return "";
      }
    });
  } catch {
    return [];
  }
}
