import { extensionPoint } from "../plugin/extension-point.js";

/** Facts of a log line, besides its message. An error goes under `err`. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One method for each severity; each takes a message, or facts and a message. */
export interface LogMethod {
  (message: string): void;
  (fields: LogFields, message?: string): void;
}

/** Writes the lines of one plugin to the daemon's log, which is for people. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** A logger whose lines also carry these facts. */
  child(fields: LogFields): Logger;
  /** True when lines of this severity are written; ask before building an expensive one. */
  enabled(level: LogLevel): boolean;
}

export const Logger = extensionPoint<Logger, "one">("tepui.logger", { version: "1.0", cardinality: "one" });
