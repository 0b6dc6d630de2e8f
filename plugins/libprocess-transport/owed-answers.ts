import type { Clock, Timer } from "../../sdk/contracts/clock.js";

/** How long an answer may be owed. */
const OWED_MS = 1000;

/** Answered in one turn of the event loop, so that thousands of connections do not hold up everything else. */
const AT_ONCE = 256;

export interface Debtor {
  answer(): void;
}

/** Connections whose peers do not wait for answers, and so get the answers to many messages in one write. */
export class OwedAnswers {
  private debtors: Debtor[] = [];
  private timer: Timer | undefined;

  constructor(private readonly clock: Clock) {}

  add(debtor: Debtor): void {
    this.debtors.push(debtor);
    this.timer ??= this.clock.setTimeout(() => this.pay(), OWED_MS);
  }

  stop(): void {
    this.timer?.cancel();
    this.debtors = [];
  }

  private pay(): void {
    this.timer = undefined;
    const due = this.debtors;
    this.debtors = [];
    this.payFrom(due, 0);
  }

  private payFrom(due: readonly Debtor[], start: number): void {
    const end = Math.min(due.length, start + AT_ONCE);
    for (let i = start; i < end; i++) due[i]!.answer();
    if (end < due.length) setImmediate(() => this.payFrom(due, end));
  }
}
