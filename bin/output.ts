import { errnoOf, messageOf } from "../sdk/errors/index.js";

/** As a shell tells of a program that SIGPIPE ended. */
const BROKEN_PIPE = 141;

/**
 * Handles an output that cannot be written: the reader is gone (`| head`, a closed terminal), or there is no space left. Otherwise Node
 * would print a stack trace.
 *
 * @param ended receives the exit code, once
 */
export function watchOutput(program: string, ended: (code: number) => void): void {
  const { stdout, stderr } = process;
  let over = false;
  stdout.on("error", (error) => {
    if (over) return;
    over = true;
    if (["EPIPE", "EIO"].includes(errnoOf(error) ?? "")) return ended(BROKEN_PIPE);
    stderr.write(`${program}: the output cannot be written: ${messageOf(error)}\n`);
    ended(1);
  });
  // There is nowhere left to say it.
  stderr.on("error", () => undefined);
}
