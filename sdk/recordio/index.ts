export { encodeRecord } from "./encode.js";
export { DEFAULT_MAX_RECORD_BYTES, RecordDecoder, RecordError } from "./record-decoder.js";
