import * as codecs from "../../proto/gen/json/mesos/v1/agent/agent.js";
import type { Call } from "../../proto/gen/mesos/v1/agent/agent.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { MEDIA_TYPES, type MessageFormat, readCall } from "../../sdk/http/index.js";
import { RecordDecoder, RecordError } from "../../sdk/recordio/index.js";
import { validateCall } from "./validate-call.js";

/** Of one record of a request: some keystrokes, or a chunk of a file. */
const MAX_RECORD_BYTES = 4 * 1024 * 1024;

/**
 * The calls in a body of RecordIO, each validated.
 *
 * @throws TepuiError TEPUI_CALL_INVALID for what is no such body or no call
 */
export async function* callRecords(
  body: AsyncIterable<Buffer>,
  format: MessageFormat,
): AsyncGenerator<Call, void> {
  const decoder = new RecordDecoder(MAX_RECORD_BYTES);
  for await (const chunk of body) {
    for (const record of records(decoder, chunk)) yield readOne(format, record);
  }
  if (!decoder.atBoundary) throw invalid("The body ends within a record");
}

/** The one call in a body. */
export function readOne(format: MessageFormat, body: Uint8Array): Call {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const { call } = readCall(codecs.Call, MEDIA_TYPES[format], bytes);
  validateCall(call);
  return call;
}

function records(decoder: RecordDecoder, chunk: Buffer): Uint8Array[] {
  try {
    return decoder.push(chunk);
  } catch (error) {
    if (error instanceof RecordError) throw invalid(`Failed to decode the body: ${error.message}`);
    throw error;
  }
}

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_CALL_INVALID", { detail });
