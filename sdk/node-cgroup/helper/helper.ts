import { type ChildProcessByStdio, spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { CgroupError } from "../cgroup-error.js";
import { HELPER_SOURCE } from "./helper-source.js";

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Pending {
  resolve(): void;
  reject(error: CgroupError): void;
}

export interface Watch extends Disposable {
  /** Settles when the kernel has taken the watch, or not. */
  readonly ready: Promise<void>;
}

/** What to do when it happens, and when it can no longer be learnt. */
export interface WatchHandler {
  happened(times: number): void;
  lost(error: CgroupError): void;
}

/** A v1 event, see the kernel's cgroup-v1/memory. */
export interface KernelEvent {
  readonly control: string;
  readonly eventControl: string;
  readonly argument?: string;
}

/**
 * The helper process of a host, started when it is first needed and again when it is needed after it has ended. It does not keep this
 * process alive, except while an answer is due, and ends with it.
 */
export class Helper {
  readonly #program: string;
  #child: Child | undefined;
  #lastId = 0;
  readonly #pending = new Map<string, Pending>();
  readonly #handlers = new Map<string, WatchHandler>();

  constructor(program = "perl") {
    this.#program = program;
  }

  watch(event: KernelEvent, handler: WatchHandler): Watch {
    const id = this.#nextId();
    this.#handlers.set(id, handler);
    const ready = this.#ask(id, ["watch", event.control, event.eventControl, event.argument ?? ""]);
    ready.catch(() => this.#handlers.delete(id));
    return {
      ready,
      [Symbol.dispose]: () => {
        // When the helper is gone so is the watch.
        if (this.#handlers.delete(id) && this.#child !== undefined)
          this.#ask(this.#nextId(), ["unwatch", id]).catch(() => undefined);
      },
    };
  }

  setDevices(directory: string, program: Uint8Array): Promise<void> {
    return this.#ask(this.#nextId(), ["devices", directory, Buffer.from(program).toString("hex")]);
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.ref();
    child.stdin.end();
    await closed;
  }

  #nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  #ask(id: string, fields: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = this.#start();
      this.#pending.set(id, { resolve, reject });
      setReferenced(child, true);
      child.stdin.write(`${[id, ...fields].join("\t")}\n`);
    });
  }

  #start(): Child {
    if (this.#child !== undefined) return this.#child;
    const child = spawn(this.#program, ["-e", HELPER_SOURCE], { stdio: ["pipe", "pipe", "pipe"], cwd: "/" });
    this.#child = child;
    let complaint = "";
    child.stderr.on("data", (data: Buffer) => {
      complaint = (complaint + data.toString("utf8")).slice(-500);
    });
    createInterface(child.stdout).on("line", (line) => this.#take(line));
    // What is written to a process that has just ended is answered by its end.
    child.stdin.on("error", () => undefined);
    child.once("error", (cause) => this.#end(child, unavailable(this.#program, cause)));
    child.once("close", (code, signal) => {
      const how = complaint.trim() || `it ended with ${signal ?? code}`;
      this.#end(child, new CgroupError(`the helper process for cgroups is gone: ${how}`));
    });
    return child;
  }

  #take(line: string): void {
    const [id = "", outcome = "", ...rest] = line.split("\t");
    if (id === "event") {
      this.#handlers.get(outcome)?.happened(Number(rest[0]));
      return;
    }
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0 && this.#child !== undefined) setReferenced(this.#child, false);
    if (outcome === "ok") pending?.resolve();
    else pending?.reject(refusal(Number(rest[0]), rest[1] ?? ""));
  }

  #end(child: Child, error: CgroupError): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const [pending, handlers] = [[...this.#pending.values()], [...this.#handlers.values()]];
    this.#pending.clear();
    this.#handlers.clear();
    for (const { reject } of pending) reject(error);
    for (const handler of handlers) handler.lost(error);
  }
}

/** Whether this process waits for the child and its pipes before it ends. */
function setReferenced(child: Child, referenced: boolean): void {
  const what = referenced ? "ref" : "unref";
  child[what]();
  for (const stream of [child.stdin, child.stdout, child.stderr])
    if (what in stream && typeof stream[what as keyof typeof stream] === "function")
      (stream as unknown as Record<typeof what, () => void>)[what]();
}

function unavailable(program: string, cause: Error): CgroupError {
  const message = `cannot run ${program}, which this needs (apt-get install perl-base): ${cause.message}`;
  return new CgroupError(message, { errno: "code" in cause ? String(cause.code) : undefined, cause });
}

function refusal(number: number, attempt: string): CgroupError {
  const errno = Object.entries(constants.errno).find(([, value]) => value === number)?.[0];
  return new CgroupError(`cannot ${attempt}${errno === undefined ? "" : ` (${errno})`}`, { errno });
}
