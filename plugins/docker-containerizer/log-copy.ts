import type { IncomingMessage } from "node:http";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { ContainerIo } from "../../sdk/contracts/container-logger.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Engine } from "./engine.js";
import { EngineError, isEngineError } from "./engine-error.js";
import { type LogMessage, LogMessageDecoder, sinceTime } from "./log-messages.js";
import { type LogOutputs, openLogOutputs } from "./log-output.js";
import { type LogProgress, type LogRecord, writeLogRecord } from "./log-record.js";

/** How often the progress of a busy log is written down, in milliseconds. */
const RECORD_INTERVAL = 5000;
/** How long, in milliseconds, and how much, in bytes, a container that starts is listened to before its log is read instead. */
const LISTENING = { time: 1000, bytes: 1024 * 1024 };
/** Drivers of logs that can be read at any time. Of others, not even the engine knows before it tries. */
const KEEPING = new Set(["json-file", "local", "journald"]);

const STREAMS = ["stdout", "stderr"] as const;

interface Known {
  readonly time: string;
  left: number;
}

export interface LogCopyOptions {
  readonly engine: Engine;
  /** The container's, for the log. */
  readonly name: string;
  /** By what the engine is asked for the container. */
  readonly handle: () => string;
  /** Terminals have one stream, and no messages in it. */
  readonly tty: boolean;
  /** False where the log cannot be read back: only what is written from now on can be had. */
  readonly readable: boolean;
  /** File for the progress. */
  readonly record: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Copies a container's log from the engine to where its output belongs, each byte once, also when the agent or the engine is away for a
 * while. The engine is asked for what came after the place that was written down last, and of that as much is passed over as the
 * outputs already hold; so it does no harm that the record lags behind. (Programs cannot be asked what they hold: of those, what came
 * since the record comes again after a crash of the agent.)
 *
 * At first it listens to the container itself: that ends together with the container, while the engine gives out the log of one that
 * ends soon only when it has cleared the container away. An engine that is short of time may cut off who listens before the last words;
 * so the log is looked through afterwards, when nobody waits for it any more.
 */
export class LogCopy {
  private readable: boolean;
  /** Bytes to come that the outputs hold already. */
  private surplus = { stdout: 0, stderr: 0 };
  /** Messages to come that were copied already: those before this time, and so many of it. */
  private known: { stdout?: Known | undefined; stderr?: Known | undefined } = {};
  /** Bytes taken without times, since a log was opened last: the next log begins with them. */
  private taken = { stdout: 0, stderr: 0 };
  private listening: Timer | undefined;
  /** What is listened to is given up for the log. */
  private leaving = false;
  private timer: Timer | undefined;
  private saving: Promise<void> = Promise.resolve();
  private over = false;
  private closed = false;
  /** How often the engine went away. */
  private absences = 0;
  private wake = (): void => {};
  private stirred: Promise<void>;
  private stream: IncomingMessage | undefined;
  private running: Promise<void> = Promise.resolve();
  /** Resolves when the container has ended, and what was listened to with it. */
  private readonly heard: Promise<void>;
  private hearEnd!: () => void;
  private complained = false;

  private constructor(
    private readonly options: LogCopyOptions,
    private readonly io: ContainerIo,
    private readonly outputs: LogOutputs,
    private progress: LogProgress,
  ) {
    this.readable = options.readable;
    this.stirred = this.sleep();
    this.heard = new Promise((resolve) => {
      this.hearEnd = resolve;
    });
  }

  /** For a container that is about to start. Rejects when its outputs cannot be opened. */
  static async begin(options: LogCopyOptions, io: ContainerIo): Promise<LogCopy> {
    const outputs = await openLogOutputs(io);
    const [stdout = 0, stderr = 0] = await Promise.all(STREAMS.map((stream) => outputs[stream].size()));
    const progress = { stdout: { count: 0, size: stdout }, stderr: { count: 0, size: stderr } };
    await writeLogRecord(options.record, { io, progress });
    return new LogCopy(options, io, outputs, progress);
  }

  /** For one of an earlier run of the agent. */
  static async resume(options: LogCopyOptions, { io, progress }: LogRecord): Promise<LogCopy> {
    const outputs = await openLogOutputs(io);
    const copy = new LogCopy(options, io, outputs, progress);
    if (!options.readable) return copy;
    for (const stream of STREAMS) {
      // Smaller than it was: somebody cut it, and nothing that is to come is in it.
      copy.surplus[stream] = Math.max(0, ((await outputs[stream].size()) ?? 0) - progress[stream].size);
    }
    return copy;
  }

  /** Of a container that is made and not yet started. */
  async listen(): Promise<void> {
    const { engine, handle } = this.options;
    this.running = this.run(await engine.attach(handle()));
  }

  /** The container runs: from here on its log is as good, and each message has its place in it. */
  started(logDriver: string): void {
    if (!this.readable || !KEEPING.has(logDriver) || this.over || this.closed) return;
    this.listening = this.options.clock.setTimeout(() => this.leave(), LISTENING.time);
  }

  /** Of one that was started before. */
  async follow(): Promise<void> {
    if (!this.readable) return this.listen();
    this.running = this.run(undefined);
  }

  /** The engine was away. */
  engineReturned(): void {
    this.absences++;
    this.stir();
  }

  /** The container has ended: resolves when what it wrote is copied. */
  async finish(): Promise<void> {
    this.over = true;
    this.listening?.cancel();
    this.stir();
    await Promise.race([this.heard, this.running]);
  }

  /** After `finish`: resolves when it is certain that nothing of it is missing, or nothing more can be had. */
  async settled(): Promise<void> {
    await this.running;
  }

  /** Stops copying; the progress stays on record. */
  async close(): Promise<void> {
    this.closed = true;
    this.listening?.cancel();
    this.stir();
    this.stream?.destroy();
    await this.running;
    if (this.timer !== undefined) this.save();
    await this.saving;
    await Promise.allSettled(STREAMS.map((stream) => this.outputs[stream].close()));
  }

  private sleep(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private stir(): void {
    this.wake();
    this.stirred = this.sleep();
  }

  private leave(): void {
    this.listening?.cancel();
    this.listening = undefined;
    if (this.over || this.closed) return;
    this.leaving = true;
    this.stream?.destroy();
  }

  /** Never rejects. */
  private async run(attached: IncomingMessage | undefined): Promise<void> {
    let stream = attached;
    let again = true;
    while (!this.closed) {
      const { absences, over } = this;
      const whole = await this.pass(stream);
      const listened = stream !== undefined;
      stream = undefined;
      if (this.leaving) {
        this.leaving = false;
        continue;
      }
      // A log that is followed may end before the container's last words are in it; they are once its end was told.
      const complete = whole && (!this.readable || (over && !listened));
      // A log ends with its container, or when the engine leaves.
      while (!this.over && !this.closed && this.absences === absences) await this.stirred;
      if (!this.over || this.absences !== absences) continue;
      if (complete) return;
      if (listened && whole) this.hearEnd();
      if (!whole && !again) return;
      if (!whole) again = false;
    }
  }

  /** Copies until the stream ends; whether it ended as it should. Never rejects. */
  private async pass(attached: IncomingMessage | undefined): Promise<boolean> {
    const { tty, name, logger } = this.options;
    try {
      const stream = attached ?? (await this.open());
      this.stream = stream;
      stream.on("error", () => undefined);
      if (this.closed) stream.destroy();
      const timed = attached === undefined && this.timestamps;
      const decoder = new LogMessageDecoder(timed);
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        const messages: LogMessage[] = tty
          ? [{ stream: "stdout", time: undefined, data: chunk }]
          : decoder.decode(chunk);
        if (!timed) this.count(messages);
        await this.take(messages);
      }
      return true;
    } catch (error) {
      const known =
        this.closed || this.leaving || isEngineError(error, "missing") || isEngineError(error, "unreachable");
      if (!known) logger.info({ err: error, container: name }, "a log broke off");
      return false;
    }
  }

  private get timestamps(): boolean {
    return !this.options.tty && this.readable;
  }

  /** The rest of the log. */
  private async open(): Promise<IncomingMessage> {
    const { engine, handle } = this.options;
    this.known = {};
    for (const stream of STREAMS) {
      const { time, count } = this.progress[stream];
      if (time !== undefined) this.known[stream] = { time, left: count };
    }
    for (const stream of STREAMS) this.surplus[stream] += this.taken[stream];
    this.taken = { stdout: 0, stderr: 0 };
    try {
      if (this.readable) {
        return await engine.logs(handle(), { since: sinceTime(this.progress), timestamps: this.timestamps });
      }
    } catch (error) {
      if (!(error instanceof EngineError) || !error.message.includes("does not support reading")) throw error;
      this.readable = false;
    }
    this.surplus = { stdout: 0, stderr: 0 };
    return engine.attach(handle());
  }

  private count(messages: readonly LogMessage[]): void {
    for (const { stream, data } of messages) this.taken[stream] += data.length;
    if (this.listening !== undefined && this.taken.stdout + this.taken.stderr > LISTENING.bytes) this.leave();
  }

  private async take(messages: readonly LogMessage[]): Promise<void> {
    const next = { stdout: { ...this.progress.stdout }, stderr: { ...this.progress.stderr } };
    const parts: Record<LogMessage["stream"], Buffer[]> = { stdout: [], stderr: [] };
    for (const { stream, time, data } of messages) {
      if (time !== undefined) {
        if (this.isKnown(stream, time)) continue;
        const { time: last, count, size } = next[stream];
        next[stream] = { time, count: time === last ? count + 1 : 1, size: size + data.length };
      }
      const held = Math.min(this.surplus[stream], data.length);
      this.surplus[stream] -= held;
      if (held < data.length) parts[stream].push(data.subarray(held));
    }
    for (const stream of STREAMS) await this.write(stream, parts[stream]);
    // In one step, and only now: a record must never be ahead of what was copied.
    this.progress = next;
    this.timer ??= this.options.clock.setTimeout(() => this.save(), RECORD_INTERVAL);
  }

  private isKnown(stream: LogMessage["stream"], time: string): boolean {
    const known = this.known[stream];
    if (known === undefined) return false;
    if (time < known.time) return true;
    if (time === known.time && known.left > 0) {
      known.left--;
      return true;
    }
    this.known[stream] = undefined;
    return false;
  }

  private async write(stream: LogMessage["stream"], parts: readonly Buffer[]): Promise<void> {
    if (parts.length === 0) return;
    try {
      await this.outputs[stream].write(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    } catch (error) {
      // A full disk must not hold the container up. Said once.
      if (this.complained) return;
      this.complained = true;
      this.options.logger.error(
        { err: error, container: this.options.name },
        "output of a container is lost",
      );
    }
  }

  /** Never fails. */
  private save(): void {
    const { record, name, logger } = this.options;
    this.timer?.cancel();
    this.timer = undefined;
    const { io, progress } = this;
    this.saving = this.saving
      .then(() => writeLogRecord(record, { io, progress }))
      .catch((error: unknown) => {
        logger.warn({ err: error, container: name }, "the progress of a log cannot be written down");
      });
  }
}
