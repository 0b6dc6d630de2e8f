// One codec per message type: binds the generated functions of a message into the API of index.ts.
import { Fault, JsonCodecError, missingText, WireError } from "./errors.js";
import type { Context, Reader } from "./read.js";
import { parseJson } from "./text.js";

/** JSON in Mesos's form. */
export interface JsonCodec<T> {
  /** The compact JSON text. Never fails for a message of the type. */
  write(message: T): string;
  /** Throws JsonSyntaxError or JsonCodecError. */
  read(text: string): T;
  /** The same for a value that is parsed already (int64 as number, bigint or string). Throws JsonCodecError. */
  fromValue(value: unknown): T;
}

/** All forms of one message type. */
export interface MessageCodec<T> {
  /** `mesos.v1.scheduler.Event` */
  readonly name: string;
  readonly json: JsonCodec<T>;
  /** The protobuf bytes. Does not look for missing required fields. */
  encode(message: T): Uint8Array;
  /** Throws WireError for bytes that are malformed or lack required fields. */
  decode(bytes: Uint8Array): T;
  /** The paths of missing required fields, in Mesos's order; empty (and cheap) when all are there. */
  missingRequired(message: T): string[];
}

/** What ts-proto makes of a message. */
interface BinaryFunctions<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const NONE_REQUIRED = (): boolean => true;

/** Called by generated code, once per message type. */
export function codec<T>(
  name: string,
  binary: BinaryFunctions<T>,
  write: (message: T) => string,
  read: Reader<T>,
  isComplete: (message: T) => boolean = NONE_REQUIRED,
  listMissing: (message: T, prefix: string, out: string[]) => void = NONE_REQUIRED,
): MessageCodec<T> {
  const missingRequired = (message: T): string[] => {
    const missing: string[] = [];
    if (!isComplete(message)) listMissing(message, "", missing);
    return missing;
  };

  const fromValue = (value: unknown): T => {
    const context: Context = { incomplete: false, depth: 0 };
    let message: T;
    try {
      message = read(value, context);
    } catch (error) {
      throw error instanceof Fault ? error.toError() : error;
    }
    if (context.incomplete) {
      // A oneof may have dropped the incomplete part again, so the list decides.
      const missing = missingRequired(message);
      if (missing.length > 0) throw new JsonCodecError(missingText(missing), missing[0]!, missing);
    }
    return message;
  };

  return {
    name,
    json: { write, read: (text) => fromValue(parseJson(text)), fromValue },
    encode: (message) => binary.encode(message).finish(),
    decode: (bytes) => {
      let message: T;
      try {
        message = binary.decode(bytes);
      } catch (error) {
        throw new WireError(
          `Failed to parse ${name}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      if (!isComplete(message)) {
        const missing = missingRequired(message);
        throw new WireError(`Failed to parse ${name}: ${missingText(missing)}`, missing);
      }
      return message;
    },
    missingRequired,
  };
}
