import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { TepuiError } from "../../sdk/errors/index.js";
import type { Account } from "../../sdk/proc/index.js";

export interface SandboxProgram {
  readonly command: readonly [string, ...string[]];
  /** Of the program that does it, for the text of an error; undefined: the command's own. */
  readonly name?: string;
  /** For the text of an error. */
  readonly uri: string;
  /** Host path of the sandbox. */
  readonly directory: string;
  /** Undefined: the agent's own. */
  readonly account: Account | undefined;
  readonly signal: AbortSignal;
  /** Given as standard input: readable through it also for a user who has no way to the file. */
  readonly input?: string | undefined;
}

/** Runs a program in the sandbox as the container's user. Rejects with TEPUI_FETCH_FAILED. */
export async function runInSandbox(task: SandboxProgram): Promise<void> {
  const [program, ...args] = task.command;
  const { name = program } = task;
  const input = task.input === undefined ? undefined : await open(task.input);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, args, {
        ...task.account,
        cwd: task.directory,
        signal: task.signal,
        stdio: [input?.fd ?? "ignore", "ignore", "pipe"],
      });
      let errors = "";
      child.stderr?.on("data", (text: Buffer) => {
        if (errors.length < 1000) errors += text.toString();
      });
      const refuse = (why: string): void =>
        reject(new TepuiError("TEPUI_FETCH_FAILED", { detail: `'${task.uri}': ${why}` }));
      child.once("error", (error) => refuse(`'${name}' cannot be run: ${error.message}`));
      child.once("close", (code, killed) => {
        if (code === 0) return resolve();
        refuse(`'${name}' ended with ${killed ?? `status ${code}`}: ${errors.trim()}`);
      });
    });
  } finally {
    await input?.close();
  }
}
