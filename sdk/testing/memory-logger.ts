import type { LogFields, Logger, LogLevel, LogMethod } from "../contracts/logger.js";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Keeps every line, of itself and of its children, for a test to look at. */
export class MemoryLogger implements Logger {
  constructor(
    readonly lines: LogLine[] = [],
    private readonly fields: LogFields = {},
  ) {}

  readonly debug = this.method("debug");
  readonly info = this.method("info");
  readonly warn = this.method("warn");
  readonly error = this.method("error");

  child(fields: LogFields): Logger {
    return new MemoryLogger(this.lines, { ...this.fields, ...fields });
  }

  enabled(): boolean {
    return true;
  }

  /** Messages of one severity, or of all. */
  messages(level?: LogLevel): string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map((line) => line.message);
  }

  private method(level: LogLevel): LogMethod {
    return (first: string | LogFields, message?: string): void => {
      const own = typeof first === "string" ? {} : first;
      const text = typeof first === "string" ? first : (message ?? "");
      this.lines.push({ level, message: text, fields: { ...this.fields, ...own } });
    };
  }
}
