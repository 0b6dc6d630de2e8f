import type { IncomingHttpHeaders } from "node:http";
import { TepuiError } from "../../sdk/errors/index.js";
import { acceptsMediaType, MEDIA_TYPES, type MessageFormat } from "../../sdk/http/index.js";

const RECORDIO = "application/recordio";

/** How a request and its answer are written. A stream in RecordIO says apart how its records are. */
export interface MediaTypes {
  readonly request: { readonly format: MessageFormat; readonly streaming: boolean };
  readonly answer: { readonly format: MessageFormat; readonly streaming: boolean };
}

/**
 * Reads the headers Content-Type, Message-Content-Type, Accept and Message-Accept. Order and texts of the refusals are Mesos's; parameters
 * and case do not count, where Mesos insists on the bare types. Without Accept the answer is in JSON.
 *
 * @throws TepuiError TEPUI_CALL_INVALID (400), TEPUI_MEDIA_TYPE_UNSUPPORTED (415), TEPUI_NOT_ACCEPTABLE (406)
 */
export function mediaTypes(headers: Readonly<IncomingHttpHeaders>): MediaTypes {
  return { request: requestType(headers), answer: answerType(headers) };
}

/** The headers that tell a client of an answer that is a stream. */
export function streamHeaders({ format, streaming }: MediaTypes["answer"]): Record<string, string> {
  if (!streaming) return { "Content-Type": MEDIA_TYPES[format] };
  return { "Content-Type": RECORDIO, "Message-Content-Type": MEDIA_TYPES[format] };
}

function requestType(headers: Readonly<IncomingHttpHeaders>): MediaTypes["request"] {
  const contentType = headers["content-type"];
  const messages = text(headers["message-content-type"]);
  if (contentType === undefined) throw invalid("Expecting 'Content-Type' to be present");
  const format = formatOf(contentType);
  if (format !== undefined) {
    if (messages !== undefined) {
      throw unsupported("Expecting 'Message-Content-Type' to be not set for non-streaming requests");
    }
    return { format, streaming: false };
  }
  if (bare(contentType) !== RECORDIO) {
    throw unsupported(
      `Expecting 'Content-Type' of ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf} or ${RECORDIO}`,
    );
  }
  if (messages === undefined) {
    throw invalid("Expecting 'Message-Content-Type' to be set for streaming requests");
  }
  const messageFormat = formatOf(messages);
  if (messageFormat === undefined) {
    throw unsupported(`Expecting 'Message-Content-Type' of ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`);
  }
  return { format: messageFormat, streaming: true };
}

function answerType(headers: Readonly<IncomingHttpHeaders>): MediaTypes["answer"] {
  const { accept } = headers;
  const messages = text(headers["message-accept"]);
  const format = acceptedFormat(accept);
  if (format !== undefined) {
    if (messages !== undefined) {
      throw unacceptable("Expecting 'Message-Accept' to be not set for non-streaming responses");
    }
    return { format, streaming: false };
  }
  if (!acceptsMediaType(accept, RECORDIO)) {
    throw unacceptable(
      `Expecting 'Accept' to allow ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf} or ${RECORDIO}`,
    );
  }
  const messageFormat = acceptedFormat(messages);
  if (messageFormat === undefined) {
    throw unacceptable(`Expecting 'Message-Accept' to allow ${MEDIA_TYPES.json} or ${MEDIA_TYPES.protobuf}`);
  }
  return { format: messageFormat, streaming: true };
}

function acceptedFormat(accept: string | undefined): MessageFormat | undefined {
  if (acceptsMediaType(accept, MEDIA_TYPES.json)) return "json";
  return acceptsMediaType(accept, MEDIA_TYPES.protobuf) ? "protobuf" : undefined;
}

function formatOf(contentType: string): MessageFormat | undefined {
  const type = bare(contentType);
  if (type === MEDIA_TYPES.json) return "json";
  return type === MEDIA_TYPES.protobuf ? "protobuf" : undefined;
}

const bare = (contentType: string): string => contentType.split(";", 1)[0]!.trim().toLowerCase();

/** A header that Node has no rule for comes as a list when it is sent twice. */
const text = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(", ") : header;

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_CALL_INVALID", { detail });
const unsupported = (detail: string): TepuiError =>
  new TepuiError("TEPUI_MEDIA_TYPE_UNSUPPORTED", { detail });
const unacceptable = (detail: string): TepuiError => new TepuiError("TEPUI_NOT_ACCEPTABLE", { detail });
