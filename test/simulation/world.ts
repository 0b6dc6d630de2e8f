import { createHash } from "node:crypto";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { Dice } from "./dice.js";
import type { SimulatedProcess } from "./process.js";
import { settle } from "./turns.js";

/** Wall-clock time at which every run starts: 2026-01-01T00:00:00Z. */
const START_MS = 1_767_225_600_000;

/** Lines of the trace kept for whoever reads about a failure. */
const KEPT_LINES = 400;

/** Something that happens at a certain time. */
export interface Event {
  at: number;
  order: number;
  /** Undefined once it has run or was cancelled. */
  run: (() => void) | undefined;
  /** The process whose code it runs; undefined: the world itself. */
  readonly owner: SimulatedProcess | undefined;
  readonly kind: EventKind;
}

/** The two ways to wake an event loop. */
export type EventKind = "timer" | "input";

/** An invariant was violated. */
export class Violation extends Error {
  override readonly name = "Violation";

  constructor(
    readonly invariant: string,
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * Virtual time, and everything that will happen, in order. One event is one turn of one process: everything it set in motion through
 * promises settles before the next event. All randomness comes from one seed.
 */
export class World {
  readonly dice: Dice;
  /** Milliseconds since the start of the run. */
  time = 0;
  events = 0;
  private orders = 0;
  private readonly heap: Event[] = [];
  private readonly lines: string[] = [];
  private readonly hash = createHash("sha256");
  private violation: Violation | undefined;

  /** @param told receives every line of the trace */
  constructor(
    readonly seed: number,
    private readonly told: (line: string) => void = () => undefined,
  ) {
    this.dice = new Dice(new SeededRandom(seed));
  }

  get wallTime(): number {
    return START_MS + this.time;
  }

  /** A random source of its own for a process, independent of what others draw. */
  randomFor(): SeededRandom {
    return new SeededRandom(this.dice.below(0x7fff_ffff));
  }

  /** Returns a function that cancels the event. */
  schedule(delay: number, run: () => void, by?: { owner: SimulatedProcess; kind: EventKind }): () => void {
    return this.scheduleAt(this.time + (delay > 0 ? delay : 0), run, by);
  }

  /** At exactly this time: events at the same time run in the order of the calls. */
  scheduleAt(at: number, run: () => void, by?: { owner: SimulatedProcess; kind: EventKind }): () => void {
    const event: Event = { at, order: this.orders++, run, owner: by?.owner, kind: by?.kind ?? "input" };
    this.push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Re-queues events that were held back, in this order. */
  reschedule(events: readonly Event[]): void {
    for (const event of events) {
      event.at = this.time;
      event.order = this.orders++;
      this.push(event);
    }
  }

  /** Adds a line to the trace; the hash over all lines tells whether two runs were the same. */
  note(text: string): void {
    const line = `${(this.time / 1000).toFixed(3).padStart(9)}  ${text}`;
    this.hash.update(line);
    this.told(line);
    if (this.lines.push(line) > 2 * KEPT_LINES) this.lines.splice(0, KEPT_LINES);
  }

  get lastLines(): readonly string[] {
    return this.lines.slice(-KEPT_LINES);
  }

  digest(): string {
    return this.hash.copy().digest("hex").slice(0, 16);
  }

  /** Records a violation. The run ends after this event, even if somebody swallows exceptions in between. */
  violate(invariant: string, detail: string): void {
    this.note(`VIOLATION of ${invariant}: ${detail}`);
    this.violation ??= new Violation(invariant, detail);
  }

  check(): void {
    if (this.violation !== undefined) throw this.violation;
  }

  /** Lets time pass, with everything that is due in it. Throws Violation. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    while (this.runNext(end)) {
      await settle();
      this.check();
    }
    this.time = end;
  }

  private runNext(end: number): boolean {
    for (;;) {
      const next = this.heap[0];
      if (next === undefined || next.at > end) return false;
      this.pop();
      const { run, owner } = next;
      if (run === undefined) continue;
      this.time = Math.max(this.time, next.at);
      if (owner?.alive === false || owner?.hold(next) === true) continue;
      next.run = undefined;
      run();
      this.events++;
      return true;
    }
  }

  private push(event: Event): void {
    const { heap } = this;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
