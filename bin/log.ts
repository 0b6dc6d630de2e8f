import { inspect } from "node:util";
import sonicBoom from "sonic-boom";
import type { LogVerbosity } from "../sdk/contracts/log-verbosity.js";
import type { LogFields, Logger, LogLevel, LogMethod } from "../sdk/contracts/logger.js";
import { isTepuiError } from "../sdk/errors/index.js";

/**
 * When the log's reader is slow, lines beyond this many waiting bytes are dropped: a log must neither block a daemon nor fill its memory.
 */
const MAX_WAITING_BYTES = 4 << 20;

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const LETTERS: Readonly<Record<LogLevel, string>> = { debug: "D", info: "I", warn: "W", error: "E" };

/** Receives log lines. */
export interface LogSink {
  write(line: string): void;
}

/** What is logged: lines of at least this severity, or all while the verbosity is above 0. */
export interface LogThreshold {
  readonly least: LogLevel;
  readonly verbosity?: Pick<LogVerbosity, "level">;
}

/** Milliseconds that the exit of the process waits for the log's reader. */
const END_PATIENCE_MS = 1000;

/** The standard error stream, written without waiting for the reader. `end` writes what is waiting, before the process exits. */
export function standardError(): LogSink & { end(): Promise<void> } {
  const stream = new sonicBoom.SonicBoom({ fd: 2, sync: false, maxLength: MAX_WAITING_BYTES });
  // A closed terminal or pipe ends the log, not the daemon.
  stream.on("error", () => undefined);
  return {
    write: (line) => void stream.write(line),
    // Not flushSync: it would retry forever on a pipe that nobody reads any more.
    end: () =>
      new Promise((resolve) => {
        setTimeout(resolve, END_PATIENCE_MS).unref();
        stream.once("close", resolve);
        stream.once("error", () => resolve());
        stream.end();
      }),
  };
}

/**
 * Formats lines as Mesos's log does: severity letter, month and day, time, process id, source, message; then the facts.
 *
 *     I1122 13:27:36.123456 4711 master] Registered an agent agent="S0"
 */
export class LineLogger implements Logger {
  readonly debug = this.method("debug");
  readonly info = this.method("info");
  readonly warn = this.method("warn");
  readonly error = this.method("error");

  constructor(
    private readonly sink: LogSink,
    private readonly threshold: LogThreshold,
    private readonly facts: LogFields = {},
  ) {}

  child(fields: LogFields): Logger {
    return new LineLogger(this.sink, this.threshold, { ...this.facts, ...fields });
  }

  enabled(level: LogLevel): boolean {
    const { least, verbosity } = this.threshold;
    return LEVELS.indexOf(level) >= LEVELS.indexOf(least) || (verbosity?.level ?? 0) > 0;
  }

  private method(level: LogLevel): LogMethod {
    return (first: string | LogFields, second?: string) => {
      if (!this.enabled(level)) return;
      if (typeof first === "string") this.write(level, first, {});
      else this.write(level, second ?? "", first);
    };
  }

  private write(level: LogLevel, message: string, fields: LogFields): void {
    const { plugin = "tepui", ...rest } = { ...this.facts, ...fields };
    const facts = Object.entries(rest).map(([key, value]) => ` ${key}=${shown(value)}`);
    // A newline in a client's text must not look like the start of another line.
    const text = `${message}${facts.join("")}`.replaceAll("\n", "\\n");
    this.sink.write(`${LETTERS[level]}${timestamp(new Date())} ${process.pid} ${plugin}] ${text}\n`);
  }
}

function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
  return `${day} ${time}.${String(now.getMilliseconds()).padStart(3, "0")}000`;
}

function shown(value: unknown): string {
  // The message says what happened, and to what; where in the program it was thrown adds nothing.
  if (isTepuiError(value)) return JSON.stringify(value.message);
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message);
  if (typeof value === "bigint") return value.toString();
  try {
    return JSON.stringify(value, withoutBigints) ?? String(value);
  } catch {
    // A fact that cannot be formatted must never stop the work that is being logged.
    return inspect(value, { breakLength: Number.POSITIVE_INFINITY });
  }
}

const withoutBigints = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? value.toString() : value;
