import type { Logger } from "../sdk/contracts/logger.js";
import { SystemClock } from "../sdk/contracts/system-clock.js";
import { watchForStalls } from "./stall-watch.js";

export interface ProcessWatchOptions {
  readonly logger: Logger;
  /** Prints a line at once: the log may not be written any more. */
  readonly complain: (line: string) => void;
}

/**
 * Lets no mistake of a plugin go unnoticed. An uncaught error is logged with its stack, and work goes on; so is code that blocks the event
 * loop. Code that exits the process is named, and the exit counts as a failure. Returns a function that ends the watch.
 */
export function watchOverProcess({ logger, complain }: ProcessWatchOptions): () => void {
  process.on("unhandledRejection", (err) => logger.error({ err }, "a rejection that nobody handled"));
  process.on("uncaughtException", (err) => logger.error({ err }, "an exception that nobody caught"));
  const exits = (code: number): void => {
    const caller = callerOfExit(new Error().stack ?? "");
    complain(
      caller === undefined
        ? "nothing was left that could happen; this is a mistake of a plugin, or of this program"
        : `process.exit(${code}) was called by ${caller}; no plugin may end the daemon`,
    );
    if (code === 0) process.exitCode = 1;
  };
  process.on("exit", exits);
  const endStallWatch = watchForStalls({ clock: new SystemClock(), logger });
  return () => {
    endStallWatch();
    process.off("exit", exits);
  };
}

/** Finds the caller of `process.exit` in a stack taken within the exit event. Undefined: it was not called. */
function callerOfExit(stack: string): string | undefined {
  const lines = stack.split("\n");
  const exit = lines.findIndex((line) => /^ +at process\.exit /.test(line));
  return exit < 0 ? undefined : lines[exit + 1]?.replace(/^ +at /, "").trim();
}
