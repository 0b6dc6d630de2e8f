import { spawn } from "node:child_process";
import { messageOf } from "../../sdk/errors/index.js";

const MAX_COMPLAINT = 10_000;

export interface Outcome {
  /** Undefined: it could not be run, or a signal ended it. */
  readonly status: number | undefined;
  /** What it wrote to its standard error, or why it could not be run. */
  readonly complaint: string;
}

/** Runs a program to its end. Rejects only with the signal's reason, when the program and what it started have ended. */
export function runProgram(
  program: string,
  words: readonly string[],
  signal?: AbortSignal,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // A group of its own, to be killed as one.
    const child = spawn(program, words, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (complaint.length < MAX_COMPLAINT) complaint += text;
    });
    child.once("error", (error) => {
      complaint ||= messageOf(error);
    });
    const kill = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    // Not before all of the group have let go of the pipe.
    child.once("close", (code) => {
      signal?.removeEventListener("abort", kill);
      if (signal?.aborted === true) reject(signal.reason);
      else resolve({ status: code === null || code < 0 ? undefined : code, complaint: complaint.trim() });
    });
    signal?.addEventListener("abort", kill);
    if (signal?.aborted === true) kill();
  });
}
