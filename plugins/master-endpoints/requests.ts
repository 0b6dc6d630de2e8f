import type { HttpReply, HttpRequest } from "../../sdk/contracts/http-server.js";
import type { OperatorService } from "../../sdk/contracts/operator-service.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { answeredByLeadership, methodNotAllowed } from "../../sdk/http/index.js";

/** Whether this master is to answer, by this method; where not, the answer has been given. */
export function isServed(
  service: OperatorService,
  { request, reply }: { request: HttpRequest; reply: HttpReply },
  methods: readonly string[],
): boolean {
  if (answeredByLeadership(service.leadership(), request, reply)) return false;
  if (methods.includes(request.method === "HEAD" ? "GET" : request.method)) return true;
  methodNotAllowed(request, reply, methods);
  return false;
}

/** What is wrong with a request's content is the client's fault; `prefix` is how Mesos begins to say so. */
export function converted<T>(convert: () => T, prefix: string): T {
  try {
    return convert();
  } catch (error) {
    throw invalid(prefix + messageOf(error));
  }
}

export const invalid = (detail: string): TepuiError =>
  new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail });
