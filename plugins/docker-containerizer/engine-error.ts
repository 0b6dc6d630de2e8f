import { messageOf } from "../../sdk/errors/index.js";

export type EngineFailure =
  /** No answer: no socket, nobody behind it, or the connection broke. */
  | "unreachable"
  /** It does not have the container, image or network. */
  | "missing"
  /** Not in the container's present state. */
  | "conflict"
  | "refused";

/** What the Docker engine answered instead of doing what it was asked for. The message is for people. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    readonly failure: EngineFailure,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export const isEngineError = (error: unknown, failure: EngineFailure): boolean =>
  error instanceof EngineError && error.failure === failure;

const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket",
  ECONNREFUSED: "nobody listens there",
  EACCES: "permission denied",
};

/** Of what dockerode throws. */
export function engineError(thrown: unknown, socket: string): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const { statusCode, json, code } = (thrown ?? {}) as { statusCode?: number; json?: unknown; code?: string };
  if (statusCode === undefined) {
    const why = (code !== undefined && UNREACHABLE[code]) || messageOf(thrown);
    return new EngineError("unreachable", `the Docker daemon cannot be reached at ${socket}: ${why}`, thrown);
  }
  const said = (json as { message?: unknown } | null)?.message;
  const message = typeof said === "string" && said !== "" ? said : messageOf(thrown).trim();
  const failure =
    statusCode === 404 ? "missing" : statusCode === 409 || statusCode === 304 ? "conflict" : "refused";
  return new EngineError(failure, message, thrown);
}
