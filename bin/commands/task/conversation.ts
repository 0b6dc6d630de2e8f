import type { Readable, Writable } from "node:stream";
import { errnoOf, messageOf } from "../../../sdk/errors/index.js";
import { AgentRefusal, type InputCall, type OutputPart } from "./agent-api.js";
import { Detacher } from "./detacher.js";
import type { LocalTerminal } from "./terminal.js";

/** How often the agent receives a heartbeat from a user who types nothing, in milliseconds. */
const HEARTBEAT_MS = 30_000;

export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Writes output to its destination. Resolves at the end of the output; rejects if it breaks off. */
export async function copyOutput(
  output: AsyncIterable<OutputPart>,
  { stdout, stderr }: Pick<Streams, "stdout" | "stderr">,
): Promise<void> {
  try {
    for await (const { stream, data } of output) {
      const sink = stream === "stderr" ? stderr : stdout;
      if (!sink.write(data)) await new Promise((resolve) => sink.once("drain", resolve));
    }
  } catch (error) {
    // Node's own message for a lost connection is a single word: "aborted".
    const lost = errnoOf(error) === "ECONNRESET";
    const why = lost ? "the connection was lost; the agent may have ended, or cut it" : messageOf(error);
    throw new Error(`the agent broke off: ${why}`, { cause: error });
  }
}

export interface InputOptions {
  readonly input: InputCall;
  readonly stdin: Readable;
  /** The local terminal, if the other side has one as well. */
  readonly terminal: LocalTerminal | undefined;
  /** The user typed the keys that detach. */
  readonly detached?: () => void;
}

/** Sends what the user types. Returns a function that stops this. */
export function copyInput({ input, stdin, terminal, detached }: InputOptions): () => void {
  const detacher = detached === undefined ? undefined : new Detacher();
  const send = (chunk: Buffer): void => {
    const data = detacher?.pass(chunk) ?? chunk;
    if (data.length > 0 && !input.data(data)) {
      stdin.pause();
      void input.drained().then(() => stdin.resume());
    }
    if (detacher?.detached === true) detached?.();
  };
  const end = (): void => {
    input.data(Buffer.alloc(0));
  };
  stdin.on("data", send);
  stdin.once("end", end);
  if (terminal !== undefined) {
    const resize = (): void => input.resize(terminal.size);
    resize();
    terminal.onResize(resize);
  }
  const heart = setInterval(() => input.heartbeat(HEARTBEAT_MS), HEARTBEAT_MS).unref();
  const stop = (): void => {
    clearInterval(heart);
    stdin.off("data", send);
    stdin.off("end", end);
    // Otherwise the process would keep waiting for keys.
    stdin.pause();
    input.close();
  };
  return stop;
}

/** Why the agent refused the input. That the call breaks off at the end is no problem. */
export async function inputProblem(input: InputCall): Promise<AgentRefusal | undefined> {
  try {
    await input.answered;
    return undefined;
  } catch (error) {
    return error instanceof AgentRefusal ? error : undefined;
  }
}
