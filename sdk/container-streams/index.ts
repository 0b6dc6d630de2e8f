export { FileStreams, type FileStreamsOptions } from "./file-streams.js";
export { encodeFrame, FrameDecoder, FrameError, type SwitchboardFrame } from "./frames.js";
export { SwitchboardStreams } from "./switchboard-streams.js";
