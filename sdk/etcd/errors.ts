export type EtcdErrorCode =
  /** No server could answer: it leaves open whether the request took effect. */
  | "unavailable"
  /** Wrong credentials, or credentials that may not do this. */
  | "refused"
  /** The token of this connection has run out; a new one may do. */
  | "token"
  /** Anything else: trying again is of no use. */
  | "failed";

/** A request to etcd that had no result. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";

  constructor(
    readonly code: EtcdErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** @param body what the gateway answered, JSON or not */
  static ofAnswer(status: number, body: string): EtcdError {
    const { code, text } = readError(body);
    const message = text === "" ? `it answered ${status}` : text;
    return new EtcdError(codeOf({ status, code, message }), message);
  }
}

/** With codes: whether it is one of these. */
export const isEtcdError = (error: unknown, ...codes: readonly EtcdErrorCode[]): error is EtcdError =>
  error instanceof EtcdError && (codes.length === 0 || codes.includes(error.code));

/** Of gRPC, in which etcd thinks. */
const GRPC = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  unavailable: 14,
  unauthenticated: 16,
};

function codeOf(answer: { status: number; code: number | undefined; message: string }): EtcdErrorCode {
  const { status, code, message } = answer;
  if (/invalid auth token|revision in header is old/.test(message)) return "token";
  if (code === GRPC.unauthenticated || code === GRPC.permissionDenied) return "refused";
  if (code === GRPC.invalidArgument && /authentication|user name is empty|user ID|password/.test(message)) {
    return "refused";
  }
  if (code === GRPC.unavailable || code === GRPC.deadlineExceeded) return "unavailable";
  if (/too many requests|leader changed|no leader|request timed out/.test(message)) return "unavailable";
  // A proxy before it that has no server.
  return code === undefined && status >= 502 && status <= 504 ? "unavailable" : "failed";
}

function readError(body: string): { code: number | undefined; text: string } {
  try {
    const value = JSON.parse(body) as unknown;
    if (typeof value === "object" && value !== null) {
      const { code, message, error } = value as Readonly<Record<string, unknown>>;
      const text = [message, error].find((each) => typeof each === "string");
      return { code: typeof code === "number" ? code : undefined, text: String(text ?? "") };
    }
  } catch {
    // Not etcd's own answer.
  }
  return { code: undefined, text: body.slice(0, 200).trim() };
}
