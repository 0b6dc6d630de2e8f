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

type Helper = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Makes connections in the network namespaces of others, which Node cannot enter: one process of Perl, from the first connection on, that
 * carries the bytes of all of them. When it dies, the next connection starts another.
 */
export class NamespaceHelper {
  private helper: Helper | undefined;
  private readonly tunnels = new Map<number, Tunnel>();
  private lastId = 0;
  private stopped = false;
  private unusable = false;

  /** @param program what to run; for tests */
  constructor(
    private readonly logger: Pick<Logger, "warn" | "error">,
    private readonly program: readonly [string, ...string[]] = ["perl", "-e", HELPER_PROGRAM],
  ) {}

  /** Of the helper that runs, if one does. */
  get pid(): number | undefined {
    return this.helper?.pid;
  }

  /** Tells of itself by `connect`, `data`, `end` and `error`, as sockets do. */
  connect({ pid, address, port }: { pid: number; address: string; port: number }): Tunnel {
    const id = ++this.lastId;
    const tunnel = new Tunnel({
      write: (data) => {
        this.send(`W ${id} ${data.length}\n`);
        this.helper?.stdin.write(data);
      },
      close: () => {
        if (this.tunnels.delete(id)) this.send(`C ${id}\n`);
      },
    });
    this.tunnels.set(id, tunnel);
    this.helper ??= this.start();
    this.send(`O ${id} ${pid} ${address} ${port}\n`);
    return tunnel;
  }

  stop(): void {
    this.stopped = true;
    this.helper?.stdin.end();
    this.helper = undefined;
    this.giveUp("checks are stopped");
  }

  private send(line: string): void {
    this.helper?.stdin.write(line, "latin1");
  }

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
    const reader = new FrameReader((frame) => this.take(frame));
    helper.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
    helper.stderr.on("data", (text: Buffer) =>
      this.logger.warn(`helper of checks: ${text.toString().trim()}`),
    );
    // A write to one that just died: its exit says so.
    helper.stdin.on("error", () => undefined);
    helper.once("error", (error) => {
      if (!this.unusable)
        this.logger.error(
          { err: error },
          "tasks with a network of their own cannot be checked: that needs Perl",
        );
      this.unusable = true;
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
    const tunnels = [...this.tunnels.values()];
    this.tunnels.clear();
    for (const tunnel of tunnels) tunnel.destroy(new NotTheTargetsFault(why));
  }

  private take({ type, id, text, data }: HelperFrame): void {
    const tunnel = this.tunnels.get(id);
    if (tunnel === undefined) return;
    switch (type) {
      case "connected":
        tunnel.emit("connect");
        break;
      case "data":
        tunnel.push(data);
        break;
      case "ended":
        tunnel.push(null);
        break;
      default:
        this.tunnels.delete(id);
        tunnel.destroy(type === "failed" ? new Error(text) : new NotTheTargetsFault(text));
    }
  }
}
