import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { HELPER_PROGRAM } from "./helper-program.js";
import { FrameReader, type HelperFrame } from "./helper-protocol.js";
import { Tunnel } from "./tunnel.js";

/** No connection could be tried: nothing follows from it for who was to be reached. */
export class NotTheTargetsFault extends Error {
  override readonly name = "NotTheTargetsFault";
}

/** Where a connection is to go. */
export interface Destination {
  /** A process in the network that it is made from; 0: from the host's. */
  readonly pid: number;
  /** IP address. */
  readonly address: string;
  readonly port: number;
}

/** What came of a question. */
export interface Answer {
  /** Why there is none. */
  readonly problem: Error | undefined;
  /** Of HTTP, where it is no redirection. */
  readonly status: number | undefined;
  /** Else how it begins; empty where nothing was to be sent, or nothing came. */
  readonly text: string;
}

type Client = (frame: HelperFrame) => void;
type Helper = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * One process of Perl, from the first check on, that makes the connections of all checks: it can enter network namespaces, which Node
 * cannot, and a connection costs it a fraction of what it costs Node. When it dies, the next check starts another.
 */
export class CheckHelper {
  private helper: Helper | undefined;
  private readonly clients = new Map<number, Client>();
  private lastId = 0;
  /** As latin1, a character a byte. */
  private outgoing = "";
  private stopped = false;
  private missing = false;

  /** @param program what to run; for tests */
  constructor(
    private readonly logger: Pick<Logger, "warn" | "error">,
    private readonly program: readonly [string, ...string[]] = ["perl", "-e", HELPER_PROGRAM],
  ) {}

  /** Of the helper that runs, if one does. */
  get pid(): number | undefined {
    return this.helper?.pid;
  }

  /** There is no such program on this host; known once one was needed. */
  get unavailable(): boolean {
    return this.missing;
  }

  /**
   * Connects, sends the request, and tells how the answer begins.
   *
   * @param request as latin1; empty: it is enough to be connected
   * @returns ends it early; nothing is told then
   */
  ask(to: Destination, request: string, told: (answer: Answer) => void): () => void {
    const id = this.open((frame) => {
      this.clients.delete(id);
      told(answerIn(frame));
    });
    this.send(`A ${id} ${to.pid} ${to.address} ${to.port} ${request.length}\n${request}`);
    return () => this.close(id);
  }

  /**
   * Asks again and again, until what is given is called.
   *
   * @param again in milliseconds
   * @param told each answer, unless all is as well as it was: no problem, and no status from 400
   */
  repeat(
    question: { readonly to: Destination; readonly request: string },
    again: { readonly interval: number; readonly timeout: number },
    told: (answer: Answer | "late") => void,
  ): () => void {
    const id = this.open((frame) => {
      if (frame.type === "gone") this.clients.delete(id);
      told(frame.type === "late" ? "late" : answerIn(frame));
    });
    const { to, request } = question;
    const times = `${Math.ceil(again.interval)} ${Math.ceil(again.timeout)}`;
    this.send(`R ${id} ${to.pid} ${to.address} ${to.port} ${request.length} ${times}\n${request}`);
    return () => this.close(id);
  }

  /** Tells of itself by `connect`, `data`, `end` and `error`, as sockets do. */
  connect(to: Destination): Tunnel {
    const tunnel = new Tunnel({
      write: (data) => {
        this.send(`W ${id} ${data.length}\n${data.toString("latin1")}`);
      },
      close: () => this.close(id),
    });
    const id = this.open((frame) => {
      if (frame.type === "failed" || frame.type === "gone") this.clients.delete(id);
      carry(tunnel, frame);
    });
    this.send(`O ${id} ${to.pid} ${to.address} ${to.port}\n`);
    return tunnel;
  }

  stop(): void {
    this.stopped = true;
    this.helper?.stdin.end();
    this.helper = undefined;
    this.giveUp("checks are stopped");
  }

  private open(client: Client): number {
    const id = ++this.lastId;
    this.clients.set(id, client);
    this.helper ??= this.start();
    return id;
  }

  private close(id: number): void {
    if (this.clients.delete(id)) this.send(`C ${id}\n`);
  }

  /** All of one turn of the event loop leaves in one write, which wakes the helper once. */
  private send(data: string): void {
    if (this.outgoing === "") setImmediate(this.flush);
    this.outgoing += data;
  }

  private readonly flush = (): void => {
    if (this.outgoing !== "") this.helper?.stdin.write(this.outgoing, "latin1");
    this.outgoing = "";
  };

  private start(): Helper {
    const [program, ...args] = this.program;
    // Its own session: a Ctrl-C at the agent's terminal is not for it.
    const helper = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: "/",
      detached: true,
      env: {
        PATH: process.env.PATH ?? "/usr/bin:/bin",
      },
    });
    const reader = new FrameReader((frame) => this.clients.get(frame.id)?.(frame));
    helper.stdout.setEncoding("latin1").on("data", (chunk: string) => reader.push(chunk));
    helper.stderr.on("data", (text: Buffer) =>
      this.logger.warn(`helper of checks: ${text.toString().trim()}`),
    );
    // A write to one that just died: its exit says so.
    helper.stdin.on("error", () => undefined);
    helper.once("error", (error) => {
      if (!this.missing)
        this.logger.error(
          { err: error },
          "tasks with a network of their own cannot be checked: that needs Perl",
        );
      this.missing = true;
      this.lost(helper, error.message);
    });
    helper.once("exit", (code, signal) => {
      if (this.helper === helper && !this.stopped)
        this.logger.error({ code, signal }, "the helper of checks ended; the next check starts another");
      this.lost(helper, "the helper of checks ended");
    });
    // Neither it nor its pipes keep the agent from ending.
    helper.unref();
    for (const stream of [helper.stdin, helper.stdout, helper.stderr])
      (stream as unknown as { unref?(): void }).unref?.();
    return helper;
  }

  private lost(helper: Helper, why: string): void {
    if (this.helper !== helper) return;
    this.helper = undefined;
    this.giveUp(why);
  }

  private giveUp(why: string): void {
    this.outgoing = "";
    const clients = [...this.clients];
    this.clients.clear();
    for (const [id, client] of clients) client({ type: "gone", id, text: why, data: "" });
  }
}

const problemOf = (type: "failed" | "gone", text: string): Error =>
  type === "failed" ? new Error(text) : new NotTheTargetsFault(text);

const answerIn = ({ type, text, data }: HelperFrame): Answer => ({
  problem: type === "failed" || type === "gone" ? problemOf(type, text) : undefined,
  status: type === "status" ? Number(text) : undefined,
  text: data,
});

function carry(tunnel: Tunnel, { type, text, data }: HelperFrame): void {
  switch (type) {
    case "connected":
      tunnel.emit("connect");
      break;
    case "data":
      tunnel.push(Buffer.from(data, "latin1"));
      break;
    case "ended":
      tunnel.push(null);
      break;
    case "failed":
    case "gone":
      tunnel.destroy(problemOf(type, text));
      break;
    default:
      break;
  }
}
