import { get } from "node:http";

/** Asks a daemon for its health, one question after the other, each over a connection of its own, until it is stopped. */
export class HealthProbe {
  private stopped = false;
  private answers = 0;
  private longest = 0;
  private readonly done: Promise<void>;

  constructor(private readonly port: number) {
    this.done = this.ask();
    this.done.catch(() => undefined);
  }

  /** How many answers there were, and after how many milliseconds the latest of them. Rejects where one was not 200. */
  async stop(): Promise<{ answers: number; longest: number }> {
    this.stopped = true;
    await this.done;
    return { answers: this.answers, longest: this.longest };
  }

  private async ask(): Promise<void> {
    while (!this.stopped) {
      const began = performance.now();
      const status = await this.status();
      if (status !== 200) throw new Error(`/health was answered ${status}`);
      this.answers++;
      this.longest = Math.max(this.longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  private status(): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      get(
        { host: "127.0.0.1", port: this.port, path: "/health", agent: false, timeout: 60_000 },
        (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode));
        },
      )
        .on("error", reject)
        .on("timeout", () => reject(new Error("/health was not answered within a minute")));
    });
  }
}
