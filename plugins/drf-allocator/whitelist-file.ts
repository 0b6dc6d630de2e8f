import { readFile } from "node:fs/promises";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";

const EVERY_MS = 5000;

export interface WhitelistFileOptions {
  /** May begin with `file://`. One hostname a line. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly changed: (hostnames: ReadonlySet<string>) => void;
}

/** Follows a file of hostnames. A file that cannot be read changes nothing. */
export class WhitelistFile {
  private timer: Timer | undefined;
  private text: string | undefined;

  constructor(private readonly options: WhitelistFileOptions) {}

  async start(): Promise<void> {
    await this.read();
    this.timer = this.options.clock.setInterval(() => void this.read(), EVERY_MS);
  }

  stop(): void {
    this.timer?.cancel();
  }

  private async read(): Promise<void> {
    const { path, logger, changed } = this.options;
    let text: string;
    try {
      text = await readFile(path.replace(/^file:\/\//, ""), "utf8");
    } catch (error) {
      logger.error({ path, error }, "The whitelist cannot be read; the last one stays");
      return;
    }
    if (text === this.text) return;
    this.text = text;
    const hostnames = new Set(
      text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    );
    if (hostnames.size === 0) logger.warn({ path }, "The whitelist is empty, no offers will be made");
    changed(hostnames);
  }
}
