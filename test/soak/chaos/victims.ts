import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Daemon } from "../../support/daemons.js";
import type { TestServer } from "../../support/test-servers.js";
import type { FrameworkArguments, Phase } from "./framework-arguments.js";

/** A process that may be killed or frozen, and come back. */
export interface Victim {
  readonly name: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** After `kill`: restarts it with its files. */
  revive(): Promise<void>;
  /** SIGSTOP. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
}

export class DaemonVictim implements Victim {
  constructor(
    readonly name: string,
    public daemon: Daemon,
  ) {}

  kill(): Promise<void> {
    return this.daemon.kill();
  }

  async revive(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.daemon = await this.daemon.restart();
        return;
      } catch (error) {
        // While it was away, somebody else's connection may have taken its port, and a leader may not be found at once.
        if (attempt === 5) throw error;
      }
    }
  }

  freeze(): void {
    this.daemon.process.kill("SIGSTOP");
  }

  thaw(): void {
    this.daemon.process.kill("SIGCONT");
  }
}

export class ServerVictim implements Victim {
  constructor(
    readonly name: string,
    private readonly node: TestServer,
  ) {}

  kill(): Promise<void> {
    return this.node.kill();
  }

  async revive(): Promise<void> {
    this.node.start();
  }

  freeze(): void {
    this.node.freeze();
  }

  thaw(): void {
    this.node.thaw();
  }
}

export class FrameworkVictim implements Victim {
  private child: ChildProcess | undefined;
  private ended: Promise<number | null> | undefined;
  private phase: Phase = "working";
  /** Set if it exited although nobody killed it. */
  fault: string | undefined;

  constructor(
    readonly name: string,
    private readonly options: Omit<FrameworkArguments, "phase">,
    private readonly log: string,
  ) {}

  async revive(): Promise<void> {
    const script = new URL("framework.js", import.meta.url).pathname;
    const { phase } = this;
    const log = openSync(this.log, "a");
    const child = spawn(process.execPath, [script, JSON.stringify({ ...this.options, phase })], {
      stdio: ["pipe", log, log],
    });
    closeSync(log);
    this.child = child;
    child.stdin!.on("error", () => undefined);
    this.ended = new Promise((resolve) => {
      child.once("exit", (code) => {
        // It exited by itself: if it was killed, `child` is another one by now.
        if (this.child === child && this.phase !== "leaving")
          this.fault = `${this.name} ended with ${code}; its log is ${this.log}`;
        resolve(code);
      });
    });
  }

  async kill(): Promise<void> {
    const { child, ended } = this;
    this.child = undefined;
    child?.kill("SIGKILL");
    await ended;
  }

  freeze(): void {
    this.child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.child?.kill("SIGCONT");
  }

  enter(phase: Phase): void {
    this.phase = phase;
    this.child?.stdin?.write(`${phase}\n`);
  }

  /** Resolves to true when it has torn its framework down. */
  async leave(): Promise<boolean> {
    this.enter("leaving");
    return (await this.ended) === 0;
  }
}
