import { type MessageName, type MessageTypes, wire } from "../../proto/json/index.js";
import { messageOf } from "../errors/tepui-error.js";
import { ProtocolError } from "./errors.js";

/** How messages look on the wire. */
export type ContentType = "json" | "protobuf";

export const MEDIA_TYPES: Readonly<Record<ContentType, string>> = {
  json: "application/json",
  protobuf: "application/x-protobuf",
};

/** One message type in one content type. */
export interface MessageFormat<T> {
  encode(message: T): Uint8Array;
  /** @throws ProtocolError */
  decode(bytes: Uint8Array): T;
}

export function messageFormat<N extends MessageName>(
  name: N,
  contentType: ContentType,
): MessageFormat<MessageTypes[N]> {
  const codec = wire(name);
  const decode =
    contentType === "protobuf"
      ? codec.decode
      : (bytes: Uint8Array) =>
          codec.json.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString());
  return {
    encode: contentType === "protobuf" ? codec.encode : (message) => Buffer.from(codec.json.write(message)),
    decode: (bytes) => {
      try {
        return decode(bytes);
      } catch (error) {
        throw new ProtocolError(`a record is no ${name}: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}
