import { errnoOf, messageOf } from "../sdk/errors/index.js";

/** As a shell tells of a program that SIGPIPE ended. */
const BROKEN_PIPE = 141;

/**
 * Hears of an output that cannot be written: nobody reads on (`| head`, a closed terminal), or there is no room. Without this Node prints a stack.
 *
 * @param ended told the exit code, once
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
