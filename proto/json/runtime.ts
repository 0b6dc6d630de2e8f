// What the generated codec modules import.
export { codec, type MessageCodec } from "./codec.js";
export { Dictionary } from "./dictionary.js";
export * from "./read.js";
export * from "./write.js";
