import { ERROR_KINDS, ERRORS, type ErrorCode, type ErrorKind } from "./table.js";

export interface TepuiErrorOptions {
  /** What was wrong this time: names, values, expected and found. */
  readonly detail?: string;
  /** The whole text, in place of the table's: for answers whose exact words clients know from Mesos. */
  readonly text?: string;
  /** One line for each thing that is wrong, where one error reports several. */
  readonly problems?: readonly string[];
  readonly cause?: unknown;
}

/** An error with a code from the closed table; everything else about it (kind, statuses, hint) follows from the code. */
export class TepuiError extends Error {
  override readonly name = "TepuiError";
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly problems: readonly string[];

  constructor(code: ErrorCode, options: TepuiErrorOptions = {}) {
    const problems = options.problems ?? [];
    const list = problems.map((problem) => `\n  - ${problem.replaceAll("\n", "\n    ")}`).join("");
    const detail = options.detail === undefined ? "" : `: ${options.detail}`;
    super(
      options.text ?? `${ERRORS[code].text}${detail}${list}`,
      "cause" in options ? { cause: options.cause } : undefined,
    );
    this.code = code;
    this.detail = options.detail;
    this.problems = problems;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind;
  }

  get http(): number {
    return ERROR_KINDS[this.kind].http;
  }

  get grpc(): number {
    return ERROR_KINDS[this.kind].grpc;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }
}

/**
 * True for a TepuiError, also for one made by another copy of the package (a plugin may bring its own), which
 * `instanceof` would miss.
 */
export function isTepuiError(error: unknown): error is TepuiError {
  return (
    error instanceof Error && error.name === "TepuiError" && "code" in error && String(error.code) in ERRORS
  );
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === "string" ? thrown : String(thrown);
}
