import type {
  Checker,
  CheckOutcome,
  CheckSpec,
  CheckTarget,
  PreparedCheck,
  Repetition,
} from "../../../../sdk/contracts/checker.js";

/** A check that takes no time and finds what the test says; `undefined` as outcome keeps it under way until it is aborted. */
export class ScriptedCheck implements PreparedCheck {
  /** When it was made, in milliseconds of the clock. */
  readonly times: number[] = [];
  aborted = 0;
  outcome: (() => CheckOutcome | undefined) | "hangs" = () => ({ healthy: true });
  /** It takes over once it was asked. */
  repeats = false;
  /** What it took over, until it is stopped. */
  repetition: Repetition | undefined;

  constructor(
    readonly spec: CheckSpec,
    readonly target: CheckTarget,
    private readonly now: () => number,
  ) {}

  async run(signal: AbortSignal): Promise<CheckOutcome | undefined> {
    this.times.push(this.now());
    if (this.outcome !== "hangs") return this.outcome();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    this.aborted++;
    return { healthy: true };
  }

  repeat(repetition: Repetition): (() => void) | undefined {
    if (!this.repeats) return undefined;
    this.repetition = repetition;
    return () => {
      this.repetition = undefined;
    };
  }

  /** Each outcome once, and the last one for ever. */
  finds(...outcomes: (CheckOutcome | undefined)[]): void {
    this.outcome = () => (outcomes.length > 1 ? outcomes.shift() : outcomes[0]);
  }
}

export class ScriptedChecker implements Checker {
  readonly prepared: ScriptedCheck[] = [];

  constructor(private readonly now: () => number) {}

  get last(): ScriptedCheck {
    return this.prepared.at(-1)!;
  }

  prepare(spec: CheckSpec, target: CheckTarget): PreparedCheck {
    const check = new ScriptedCheck(spec, target, this.now);
    this.prepared.push(check);
    return check;
  }
}
