import type { MessageCodec } from "../../proto/json/codec.js";
import { messageOf } from "../errors/tepui-error.js";
import type { MessageFormat } from "../http/message-format.js";
import { ProtocolError } from "./errors.js";

/** One message type in one content type. */
export interface MessageCoder<T> {
  encode(message: T): Uint8Array;
  /** @throws ProtocolError */
  decode(bytes: Uint8Array): T;
}

export function messageCoder<T>(codec: MessageCodec<T>, contentType: MessageFormat): MessageCoder<T> {
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
        throw new ProtocolError(`a record is no ${codec.name}: ${messageOf(error)}`, { cause: error });
      }
    },
  };
}
