import { type ChildProcessByStdio, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { Outbox } from "./outbox.js";
import { encodeClear, encodeGo, parseEvent, type ShimEvent } from "./protocol.js";

export type ContainerEvent = Exclude<ShimEvent, { type: "ready" }>;

/** How to start the helper; the first word is the program. */
export type HelperCommand = readonly [string, ...string[]];

export interface ShimHostOptions {
  /** Tried in this order; one whose program is missing is passed over. */
  readonly helpers: readonly HelperCommand[];
  readonly logger: Logger;
  readonly event: (event: ContainerEvent) => void;
  /** The helper ended unasked: shims live on, but the ends of those running now must be found out without it. */
  readonly lost: () => void;
}

interface Helper {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly outbox: Outbox;
}

/** Keeps one helper running and speaks with it. */
export class ShimHost {
  private helper: Promise<Helper> | undefined;
  private stopping = false;
  /** Whether shims adopt what their commands leave behind; known once the helper runs. */
  reapsOrphans = false;
  /** What keeps the helper from namespaces and mounts; empty when nothing does. Likewise. */
  lack = "";

  constructor(private readonly options: ShimHostOptions) {}

  /** Starts the helper unless it runs. */
  async start(): Promise<void> {
    await this.running();
  }

  /** @param frame of `encodeLaunch` */
  async launch(frame: Buffer): Promise<void> {
    (await this.running()).outbox.urgent(frame);
  }

  async go(id: string): Promise<void> {
    (await this.running()).outbox.urgent(encodeGo(id));
  }

  async clear(record: string): Promise<void> {
    // Not worth a new helper.
    if (this.stopping) return rm(record, { force: true });
    (await this.running()).outbox.patient(encodeClear(record));
  }

  /** Ends the helper; running containers stay. */
  async stop(): Promise<void> {
    this.stopping = true;
    const helper = await this.helper?.catch(() => undefined);
    this.helper = undefined;
    if (helper === undefined) return;
    const { stdin, stdout, stderr } = helper.process;
    helper.outbox.flush();
    stdin.end();
    stdout.destroy();
    stderr.destroy();
  }

  private async running(): Promise<Helper> {
    if (this.stopping) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: "the launcher is stopped" });
    }
    if (this.helper === undefined) {
      const starting = this.startFirst();
      this.helper = starting;
      starting.catch(() => {
        if (this.helper === starting) this.helper = undefined;
      });
    }
    return this.helper;
  }

  private async startFirst(): Promise<Helper> {
    const problems: string[] = [];
    for (const command of this.options.helpers) {
      try {
        return await this.startOne(command);
      } catch (error) {
        problems.push(`${command[0]}: ${messageOf(error)}`);
        this.options.logger.info({ program: command[0] }, `helper not usable: ${messageOf(error)}`);
      }
    }
    throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: "the launcher's helper cannot be started",
      problems,
    });
  }

  private startOne([program, ...args]: HelperCommand): Promise<Helper> {
    return new Promise((resolve, reject) => {
      // Its own session: a Ctrl-C at the agent's terminal is not for tasks.
      const helper = spawn(program, args, {
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
        cwd: "/",
        env: plainEnvironment(),
      });
      const outbox = new Outbox((frames) => helper.stdin.write(frames));
      let ready = false;
      const { logger } = this.options;
      helper.once("error", reject);
      // A write to a helper that just died: its exit says so.
      helper.stdin.on("error", (error) => logger.debug({ err: error }, "helper closed its input"));
      helper.stderr.on("data", (text: Buffer) => logger.warn(`helper: ${text.toString().trim()}`));
      readLines(helper.stdout, (line) => {
        const event = parseEvent(line);
        if (event === undefined) return logger.warn({ line }, "the helper said something unknown");
        if (event.type !== "ready") return this.options.event(event);
        ready = true;
        this.reapsOrphans = event.reapsOrphans;
        this.lack = event.lack;
        resolve({ process: helper, outbox });
      });
      helper.once("exit", (code, signal) => {
        if (!ready) return reject(new Error(`it ended with ${signal ?? `status ${code}`}`));
        if (this.stopping) return;
        logger.error(
          { code, signal },
          "the launcher's helper ended; a new one starts with the next container",
        );
        this.helper = undefined;
        this.options.lost();
      });
      // Neither the helper nor its pipes keep the agent from ending.
      helper.unref();
    });
  }
}

/** Nothing secret: what runs in a container may be able to see how its first process was started. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const plain = /^(PATH|HOME|USER|LOGNAME|TZ|TMPDIR|LANG|LC_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => plain.test(name)));
}

function readLines(stream: Readable, line: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) line(text);
  });
}
