import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How a process ended: a status, or the name of a signal. */
export type Ending = number | NodeJS.Signals;

/** A process that waits for leave to begin, so that it can be put where it belongs before. */
export class GatedProcess {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** It leads a process group of its own. */
  constructor(argv: readonly string[]) {
    const child = spawn("sh", ["-c", 'read go <&3; exec 3<&-; exec "$@"', "gate", ...argv], {
      detached: true,
      stdio: ["pipe", "pipe", "inherit", "pipe"],
    });
    this.#child = child;
    this.pid = child.pid!;
    this.ended = once(child, "exit").then(([code, signal]) => signal ?? code);
    this.#lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
    // It may be killed before it has read what it was sent.
    for (const stream of [child.stdin, child.stdio[3]]) stream?.on("error", () => undefined);
  }

  go(): void {
    const gate = this.#child.stdio[3];
    if (gate !== null && gate !== undefined && "end" in gate) gate.end("go\n");
  }

  /** Next line that it writes; undefined at its end. */
  async line(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    return done === true ? undefined : value;
  }

  write(text: string): void {
    this.#child.stdin!.write(text);
  }

  /** Ends it, where it has not ended, and waits for that. */
  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill("SIGKILL");
    await this.ended;
  }
}
