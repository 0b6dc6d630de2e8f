import type { MessageCodec } from "../../proto/json/codec.js";
import type { HttpReply, HttpRequest } from "../contracts/http-server.js";
import { MEDIA_TYPES, type MessageFormat } from "./message-format.js";

/** A message that answers a call, in one of the two forms. */
export interface Answer<T> {
  readonly codec: MessageCodec<T>;
  readonly message: T;
  readonly format: MessageFormat;
}

/** Answers with status 200. */
export function sendMessage<T>(reply: HttpReply, { codec, message, format }: Answer<T>): void {
  const body = format === "json" ? codec.json.write(message) : codec.encode(message);
  reply.send(200, body, { "Content-Type": MEDIA_TYPES[format] });
}

/** Mesos's 405, for those who must look at other things before the method. */
export function methodNotAllowed(request: HttpRequest, reply: HttpReply, allowed: readonly string[]): void {
  const body = `405 Method Not Allowed. Expecting one of { '${allowed.join("', '")}' }, but received '${request.method}'.`;
  reply.text(405, body, { Allow: allowed.join(", ") });
}
