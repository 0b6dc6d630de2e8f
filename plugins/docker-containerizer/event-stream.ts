import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import { ID_LABEL, NAME_PREFIX } from "./container.js";
import type { Engine } from "./engine.js";
import { lines } from "./lines.js";

/** First and longest pause before the engine is asked again, in milliseconds. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5000;

export interface ContainerEvent {
  /** Of the container, as its agent knows it. */
  readonly id: string;
  /** As the engine knows it. */
  readonly handle: string;
  readonly action: "start" | "die" | "oom";
  /** Of its main process, when it died. */
  readonly exitCode: number | undefined;
}

export interface EventStreamOptions {
  readonly engine: Engine;
  /** Only containers with this label, `key=value`. */
  readonly label: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEvent: (event: ContainerEvent) => void;
  /** The engine listens again; events in between were lost. */
  readonly onReconnected: () => void;
}

/**
 * The ends of all containers over one connection, however many there are. When the engine goes away it is looked for until it comes
 * back.
 */
export class EventStream {
  private readonly abort = new AbortController();
  private pause = FIRST_PAUSE;
  private timer: Timer | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly options: EventStreamOptions) {}

  /** Resolves when events come; rejects when the engine cannot be reached. */
  async open(): Promise<void> {
    await this.connect();
  }

  async close(): Promise<void> {
    this.abort.abort();
    this.timer?.cancel();
    await this.running;
  }

  private async connect(): Promise<void> {
    const { engine, label } = this.options;
    const stream = await engine.events(label, this.abort.signal);
    this.pause = FIRST_PAUSE;
    this.running = this.read(stream);
  }

  /** Never rejects. */
  private async read(stream: NodeJS.ReadableStream): Promise<void> {
    const { engine, logger } = this.options;
    let why = "the connection ended";
    try {
      for await (const line of lines(stream)) this.take(line);
    } catch (error) {
      why = messageOf(error);
    }
    engine.abandon();
    if (this.abort.signal.aborted) return;
    logger.warn({ socket: engine.socket }, `the Docker daemon went away: ${why}`);
    this.retry();
  }

  private retry(): void {
    const { clock, logger, engine, onReconnected } = this.options;
    this.timer = clock.setTimeout(() => {
      this.connect().then(
        () => {
          logger.info({ socket: engine.socket }, "the Docker daemon is back");
          onReconnected();
        },
        () => {
          if (!this.abort.signal.aborted) this.retry();
        },
      );
    }, this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
  }

  private take(line: string): void {
    try {
      const { Action, Actor } = JSON.parse(line) as {
        Action?: unknown;
        Actor?: { ID?: unknown; Attributes?: Record<string, unknown> };
      };
      const { name, exitCode, [ID_LABEL]: label } = Actor?.Attributes ?? {};
      if (Action !== "start" && Action !== "die" && Action !== "oom") return;
      if (typeof name !== "string") return;
      // Its name may have been changed.
      const id = typeof label === "string" ? label : name.slice(NAME_PREFIX.length);
      const handle = typeof Actor?.ID === "string" ? Actor.ID : name;
      const code = typeof exitCode === "string" && /^\d+$/.test(exitCode) ? Number(exitCode) : undefined;
      this.options.onEvent({ id, handle, action: Action, exitCode: code });
    } catch (error) {
      this.options.logger.warn({ err: error }, "an event of the Docker daemon cannot be read");
    }
  }
}
