import type { Socket } from "node:net";
import type { ContainerInput } from "../contracts/containerizer.js";
import { TepuiError } from "../errors/index.js";
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES, type SwitchboardFrame } from "./frames.js";

/** A connection to a switchboard that was given the input. */
export class SwitchboardInput implements ContainerInput {
  readonly over: Promise<void>;
  private refused = false;
  private ended = false;
  private closed = false;
  private tellOver!: () => void;
  private readonly waiting = new Set<() => void>();

  /** Asks for the input on a fresh connection. Undefined where another has it; the connection is closed then. */
  static async ask(socket: Socket): Promise<SwitchboardInput | undefined> {
    const decoder = new FrameDecoder();
    const answer = await new Promise<SwitchboardFrame | undefined>((resolve) => {
      socket.once("close", () => resolve(undefined));
      socket.on("readable", () => {
        // One frame and no more: what follows is for the input itself.
        const header: Buffer | null = socket.read(5);
        if (header === null) return;
        try {
          resolve(decoder.push(header)[0]);
        } catch {
          // None of its words: as one that has gone.
          resolve(undefined);
        }
      });
      socket.write(encodeFrame("I"));
    });
    socket.removeAllListeners("readable");
    if (answer?.type === "A") return new SwitchboardInput(socket);
    socket.destroy();
    if (answer === undefined) throw gone();
    return undefined;
  }

  private constructor(private readonly socket: Socket) {
    const decoder = new FrameDecoder();
    this.over = new Promise((resolve) => {
      this.tellOver = resolve;
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        if (decoder.push(chunk).some(({ type }) => type === "C")) this.refuse();
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.resume();
    socket.on("drain", () => this.wake());
    socket.once("close", () => {
      this.ended = false;
      this.refuse();
    });
  }

  async write(data: Buffer): Promise<void> {
    for (let at = 0; at < data.length; at += MAX_FRAME_BYTES) {
      await this.send(encodeFrame("d", data.subarray(at, at + MAX_FRAME_BYTES)));
    }
  }

  async end(): Promise<void> {
    if (this.refused) return;
    this.ended = true;
    await this.send(encodeFrame("e"));
  }

  async resize({ rows, columns }: { rows: number; columns: number }): Promise<void> {
    if (this.refused) return;
    const size = Buffer.alloc(4);
    size.writeUInt16BE(Math.min(rows, 0xffff), 0);
    size.writeUInt16BE(Math.min(columns, 0xffff), 2);
    await this.send(encodeFrame("w", size));
  }

  close(): void {
    this.closed = true;
    this.socket.end();
    this.wake();
  }

  private async send(frame: Buffer): Promise<void> {
    if (this.refused || this.closed) throw gone();
    if (this.socket.write(frame)) return;
    await new Promise<void>((resolve) => this.waiting.add(resolve));
    if (this.refused) throw gone();
  }

  private refuse(): void {
    this.refused = true;
    // The end of what was ended is not news; that of the container comes with the end of the connection.
    if (!this.ended) this.tellOver();
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}

const gone = (): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_REQUEST_INVALID", { detail: "the container reads no input any more" });
