export { encodeRecord } from "./encode.js";
export { RecordDecoder, RecordError } from "./record-decoder.js";
