import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import type { ReadStream, WriteStream } from "node:tty";

/** The part of a process that a terminal needs; `process` is one. */
export interface TerminalProcess {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  on(event: NodeJS.Signals | "exit", listener: () => void): unknown;
  off(event: NodeJS.Signals | "exit", listener: () => void): unknown;
  exit(code: number): never;
}

const ENDING_SIGNALS = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"] as const;

/** The user's terminal. While it is raw, all keys go to the other side, Ctrl-C included; at the end its settings are restored. */
export class LocalTerminal {
  private raw = false;
  private readonly endings = ENDING_SIGNALS.map((signal) => [signal, this.ending(signal)] as const);

  constructor(private readonly process: TerminalProcess) {}

  get size(): { readonly rows: number; readonly columns: number } {
    const { rows, columns } = this.process.stdout;
    return { rows: rows ?? 24, columns: columns ?? 80 };
  }

  enterRaw(): void {
    this.raw = true;
    this.process.stdin.setRawMode(true);
    // Raw mode leaves the translation of line feeds on, which is up to the terminal on the other side. `setRawMode(false)` restores
    // everything.
    spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"] });
    this.process.on("exit", this.restore);
    for (const [signal, end] of this.endings) this.process.on(signal, end);
  }

  readonly restore = (): void => {
    if (!this.raw) return;
    this.raw = false;
    this.process.stdin.setRawMode(false);
    this.process.off("exit", this.restore);
    for (const [signal, end] of this.endings) this.process.off(signal, end);
  };

  onResize(listener: () => void): void {
    this.process.stdout.on("resize", listener);
  }

  private ending(signal: NodeJS.Signals): () => void {
    return () => {
      this.restore();
      this.process.exit(128 + constants.signals[signal]);
    };
  }
}
