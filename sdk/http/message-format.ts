import type { MessageCodec } from "../../proto/json/codec.js";
import { JsonCodecError, JsonSyntaxError, WireError } from "../../proto/json/errors.js";
import { TepuiError } from "../errors/index.js";
import { acceptsMediaType } from "./quality-list.js";

/** The two forms in which the v1 APIs carry messages. */
export type MessageFormat = "json" | "protobuf";

export const MEDIA_TYPES = {
  json: "application/json",
  protobuf: "application/x-protobuf",
} as const satisfies Record<MessageFormat, string>;

/**
 * The format that a Content-Type names; undefined for any other. Parameters (`; charset=utf-8`) and case do not count, where
 * Mesos insists on the bare lower-case type.
 */
function formatOf(contentType: string): MessageFormat | undefined {
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === MEDIA_TYPES.json) return "json";
  return type === MEDIA_TYPES.protobuf ? "protobuf" : undefined;
}

export interface ReadCall<T> {
  readonly call: T;
  readonly format: MessageFormat;
}

/**
 * Reads the call in a request's body. Order and texts of the refusals are Mesos's.
 *
 * @param contentType value of the header, undefined when it is missing
 * @throws TepuiError TEPUI_CALL_INVALID (400), TEPUI_MEDIA_TYPE_UNSUPPORTED (415)
 */
export function readCall<T>(
  codec: MessageCodec<T>,
  contentType: string | undefined,
  body: Buffer,
): ReadCall<T> {
  if (contentType === undefined) throw invalid("Expecting 'Content-Type' to be present");
  const format = formatOf(contentType);
  if (format === undefined) {
    const detail = `Expecting 'Content-Type' of ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`;
    throw new TepuiError("TEPUI_MEDIA_TYPE_UNSUPPORTED", { detail });
  }
  try {
    return { call: format === "json" ? codec.json.read(body.toString("utf8")) : codec.decode(body), format };
  } catch (error) {
    throw unreadable(error);
  }
}

/**
 * The format of the answer: JSON when the client accepts it, else protobuf. Without an Accept header that of the request.
 *
 * @throws TepuiError TEPUI_NOT_ACCEPTABLE (406)
 */
export function answerFormat(accept: string | undefined, request: MessageFormat): MessageFormat {
  if (accept === undefined) return request;
  if (acceptsMediaType(accept, MEDIA_TYPES.json)) return "json";
  if (acceptsMediaType(accept, MEDIA_TYPES.protobuf)) return "protobuf";
  throw new TepuiError("TEPUI_NOT_ACCEPTABLE", {
    detail: `Expecting 'Accept' to allow '${MEDIA_TYPES.protobuf}' or '${MEDIA_TYPES.json}'`,
  });
}

function unreadable(error: unknown): unknown {
  if (error instanceof JsonSyntaxError)
    return invalid(`Failed to parse body into JSON: ${error.message}`, error);
  if (error instanceof JsonCodecError) {
    return invalid(`Failed to convert JSON into Call protobuf: ${error.message}`, error);
  }
  if (error instanceof WireError) {
    const missing = error.missing.length > 0 ? `: Missing required fields: ${error.missing.join(", ")}` : "";
    return invalid(`Failed to parse body into Call protobuf${missing}`, error);
  }
  return error;
}

const invalid = (detail: string, cause?: unknown): TepuiError =>
  new TepuiError("TEPUI_CALL_INVALID", cause === undefined ? { detail } : { detail, cause });
