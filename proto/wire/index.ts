// Reading and writing of protobuf's binary form, for the code that ts-proto generates and for what is written by hand beside it.
export { append } from "./append.js";
export { MessageMemory } from "./message-memory.js";
export { BinaryReader } from "./reader.js";
export { BinaryWriter } from "./writer.js";
