import type { HttpReply, HttpRequest } from "../contracts/http-server.js";

/** Mesos's 405, for those who must look at other things before the method. */
export function methodNotAllowed(request: HttpRequest, reply: HttpReply, allowed: readonly string[]): void {
  const body = `405 Method Not Allowed. Expecting one of { '${allowed.join("', '")}' }, but received '${request.method}'.`;
  reply.text(405, body, { Allow: allowed.join(", ") });
}
