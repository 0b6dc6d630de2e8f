import { readdirSync, readFileSync } from "node:fs";
import type { ContainerStreams } from "../../../sdk/contracts/containerizer.js";
import { eventually } from "../../support/eventually.js";

/** Reads the output of a container from the moment that it is made. */
export class Reading {
  readonly abort = new AbortController();
  readonly text = { stdout: "", stderr: "" };
  private readonly over: Promise<void>;

  constructor(streams: ContainerStreams) {
    const output = streams.output(this.abort.signal);
    this.over = this.read(output);
    this.over.catch(() => undefined);
  }

  async has(text: string): Promise<void> {
    await eventually(() => (this.text.stdout.includes(text) ? true : undefined)).catch((cause: unknown) => {
      throw new Error(`not '${text}' but '${this.text.stdout}'`, { cause });
    });
  }

  /** All of it, once the container ended. */
  async end(): Promise<{ readonly stdout: string; readonly stderr: string }> {
    await this.over;
    return this.text;
  }

  private async read(output: AsyncIterable<{ stream: "stdout" | "stderr"; data: Buffer }>): Promise<void> {
    for await (const { stream, data } of output) this.text[stream] += data.toString();
  }
}

/** The processes that hold the streams of a container. */
export function switchboards(containerId: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith(`tepui-switchboard ${containerId}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
