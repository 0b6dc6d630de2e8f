import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerInput, ContainerStreams, OutputChunk } from "../contracts/containerizer.js";
import { TepuiError } from "../errors/index.js";
import { connect } from "./connect.js";
import { encodeFrame, FrameDecoder } from "./frames.js";
import { SwitchboardInput } from "./switchboard-input.js";

/** How often and how soon to ask again for an input that is taken: its last writer may have let go just now, which takes a moment. */
const ASK_AGAIN = { times: 5, afterMs: 20 };

/** The streams of a container whose switchboard (plugins/launchers) serves them on a unix socket. */
export class SwitchboardStreams implements ContainerStreams {
  constructor(private readonly path: string) {}

  output(signal: AbortSignal): AsyncIterable<OutputChunk> {
    // At once, and not with the first read: what is written from now on counts.
    const socket = this.open(signal);
    socket.catch(() => undefined);
    return readOutput(socket, signal);
  }

  async input(): Promise<ContainerInput> {
    for (let asked = 0; ; asked++) {
      const input = await SwitchboardInput.ask(await this.open());
      if (input !== undefined) return input;
      if (asked >= ASK_AGAIN.times) throw new TepuiError("TEPUI_CONTAINER_INPUT_TAKEN");
      await sleep(ASK_AGAIN.afterMs);
    }
  }

  private async open(signal?: AbortSignal): Promise<Socket> {
    let socket: Socket;
    try {
      socket = await connect(this.path);
    } catch (error) {
      throw new TepuiError("TEPUI_CONTAINER_UNKNOWN", {
        detail: "the container has ended, and its streams with it",
        cause: error,
      });
    }
    // Said by the end of what is read or written.
    socket.on("error", () => undefined);
    if (signal === undefined) return socket;
    socket.write(encodeFrame("O"));
    if (signal.aborted) socket.destroy();
    const abandon = (): void => void socket.destroy();
    signal.addEventListener("abort", abandon, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", abandon));
    return socket;
  }
}

async function* readOutput(opening: Promise<Socket>, signal: AbortSignal): AsyncGenerator<OutputChunk, void> {
  const socket = await opening;
  const decoder = new FrameDecoder();
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const { type, content } of decoder.push(chunk)) {
        if (type === "1") yield { stream: "stdout", data: content };
        else if (type === "2") yield { stream: "stderr", data: content };
        else if (type === "E") return;
        else if (type === "S") throw new TepuiError("TEPUI_CONTAINER_READER_SLOW");
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof TepuiError) throw error;
    throw broken(error);
  } finally {
    socket.destroy();
  }
  if (!signal.aborted) throw broken();
}

const broken = (cause?: unknown): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_UNKNOWN", {
    detail: "what holds the container's streams has ended",
    cause,
  });
