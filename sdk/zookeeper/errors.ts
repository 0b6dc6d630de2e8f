/** What a server can answer instead of a result, by error number. */
const SERVER_ERRORS = {
  [-1]: ["system-error", "the server failed"],
  [-2]: ["runtime-inconsistency", "the server found itself inconsistent"],
  [-3]: ["data-inconsistency", "the server found its data inconsistent"],
  [-4]: ["connection-loss", "the connection is lost"],
  [-5]: ["marshalling-error", "the request could not be read or is too large"],
  [-6]: ["unimplemented", "the server does not know this operation"],
  [-7]: ["operation-timeout", "the operation timed out"],
  [-8]: ["bad-arguments", "the arguments are not valid"],
  [-101]: ["no-node", "the node does not exist"],
  [-102]: ["no-auth", "not authorized"],
  [-103]: ["bad-version", "the node has another version"],
  [-108]: ["no-children-for-ephemerals", "an ephemeral node can have no children"],
  [-110]: ["node-exists", "the node exists already"],
  [-111]: ["not-empty", "the node has children"],
  [-112]: ["session-expired", "the session has expired"],
  [-113]: ["invalid-callback", "an invalid callback"],
  [-114]: ["invalid-acl", "the access list is not valid"],
  [-115]: ["auth-failed", "the authentication failed"],
  [-118]: ["session-moved", "the session has moved to another server"],
  [-119]: ["not-read-only", "the server is read-only"],
  [-125]: ["quota-exceeded", "the quota is exceeded"],
  [-127]: ["throttled", "the server is overloaded"],
} as const satisfies Record<number, readonly [code: string, text: string]>;

export type ZooKeeperErrorCode = (typeof SERVER_ERRORS)[keyof typeof SERVER_ERRORS][0] | "unknown";

/** A request without a result; after `connection-loss` it is unknown whether it took effect. */
export class ZooKeeperError extends Error {
  override readonly name = "ZooKeeperError";

  constructor(
    readonly code: ZooKeeperErrorCode,
    text: string,
  ) {
    super(text);
  }

  /** @param about the request: `create /mesos` */
  static ofServer(number: number, about: string): ZooKeeperError {
    const known = (SERVER_ERRORS as Record<number, readonly [ZooKeeperErrorCode, string]>)[number];
    const [code, text] = known ?? ["unknown", `the server answered with error ${number}`];
    return new ZooKeeperError(code, `${about}: ${text}`);
  }
}

/** With codes: whether the error is one of these. */
export const isZooKeeperError = (
  error: unknown,
  ...codes: readonly ZooKeeperErrorCode[]
): error is ZooKeeperError =>
  error instanceof ZooKeeperError && (codes.length === 0 || codes.includes(error.code));
