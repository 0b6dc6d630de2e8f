import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { LogFields, Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { Dice } from "./dice.js";
import type { Event, World } from "./world.js";

/** A machine on which processes run, one after another. */
export interface Host {
  readonly name: string;
  /** Error of its wall clock, in milliseconds. */
  clockOffset: number;
}

/** An error of a wall clock: minutes, hours or years, in milliseconds. Monotonic time is not affected. */
export function clockError(dice: Dice): number {
  const most = dice.weighted({ 300000: 3, 3600000: 3, 2592000000: 2, 94608000000: 1 });
  return Math.round(dice.between(-1, 1) * Number(most));
}

/** @param name of a machine whose clock may never have been right */
export function newHost(name: string, dice: Dice): Host {
  return { name, clockOffset: dice.chance(0.5) ? 0 : clockError(dice) };
}

/**
 * One run of a daemon. When it crashes, its timers and its incoming messages are gone, and whatever it still tries to send is lost. While
 * it is paused, nothing of it runs; what became due in the meantime runs when it resumes, timers and input each in their own order, but
 * mixed at random.
 */
export class SimulatedProcess {
  alive = true;
  readonly clock: Clock;
  readonly logger: Logger;
  private late: Event[] | undefined;

  constructor(
    readonly world: World,
    readonly host: Host,
    readonly name: string,
  ) {
    this.clock = new ProcessClock(this);
    this.logger = new TraceLogger(world, name);
  }

  get paused(): boolean {
    return this.late !== undefined;
  }

  /** Keeps an event back while the process is paused. */
  hold(event: Event): boolean {
    this.late?.push(event);
    return this.late !== undefined;
  }

  /** Something arrives at the process after some time. Returns a function that cancels it. */
  input(delay: number, run: () => void): () => void {
    return this.world.schedule(delay, run, { owner: this, kind: "input" });
  }

  inputAt(at: number, run: () => void): () => void {
    return this.world.scheduleAt(at, run, { owner: this, kind: "input" });
  }

  timer(delay: number, run: () => void): () => void {
    return this.world.schedule(delay, run, { owner: this, kind: "timer" });
  }

  crash(): void {
    this.alive = false;
    this.late = undefined;
  }

  pause(): void {
    this.late ??= [];
  }

  resume(): void {
    const late = this.late ?? [];
    this.late = undefined;
    const timers = late.filter(({ kind }) => kind === "timer");
    const inputs = late.filter(({ kind }) => kind === "input");
    // The event loop may have been stopped just before it polled either.
    this.world.reschedule(this.world.dice.chance(0.5) ? [...inputs, ...timers] : [...timers, ...inputs]);
  }
}

class ProcessClock implements Clock {
  constructor(private readonly process: SimulatedProcess) {}

  now(): number {
    return this.process.world.wallTime + this.process.host.clockOffset;
  }

  monotonic(): number {
    return this.process.world.time;
  }

  setTimeout(fn: () => void, ms: number): Timer {
    return { cancel: this.process.timer(ms, fn) };
  }

  setInterval(fn: () => void, ms: number): Timer {
    let cancel: () => void;
    const tick = (): void => {
      cancel = this.process.timer(ms, tick);
      fn();
    };
    cancel = this.process.timer(ms, tick);
    return { cancel: () => cancel() };
  }
}

/** Writes a daemon's log into the trace. */
class TraceLogger implements Logger {
  readonly debug = (): void => undefined;
  readonly info = this.method("info");
  readonly warn = this.method("warn");
  readonly error = this.method("error");

  constructor(
    private readonly world: World,
    private readonly name: string,
  ) {}

  child(): Logger {
    return this;
  }

  enabled(): boolean {
    return true;
  }

  private method(level: string): (first: string | LogFields, message?: string) => void {
    return (first, message) => {
      const text = typeof first === "string" ? first : (message ?? "");
      const fields = typeof first === "string" ? "" : fieldsText(first);
      this.world.note(`${this.name} ${level}: ${text}${fields}`);
    };
  }
}

function fieldsText(fields: LogFields): string {
  const texts = Object.entries(fields).map(([name, value]) => {
    if (name === "err") return messageOf(value);
    return `${name}=${typeof value === "object" ? "{}" : String(value)}`;
  });
  return texts.length === 0 ? "" : ` (${texts.join(", ")})`;
}
