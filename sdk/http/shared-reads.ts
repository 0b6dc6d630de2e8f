import type { Clock } from "../contracts/clock.js";

interface Question {
  readonly write: () => string | Uint8Array;
  readonly answer: Promise<Buffer>;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** Turns of the event loop between two answers. An idle loop makes them within a millisecond. */
const TURNS_BETWEEN = 100;

/**
 * Answers that describe the whole cluster, which cost time and memory in proportion to it. Everyone who asks the same question while it waits
 * receives the same bytes; they are written after the last of them has asked, so that nobody receives an earlier state.
 *
 * One question is answered at a time. The event loop accepts one connection per turn, so `/health`, and others who ask the same question, may
 * queue behind many: between two answers the loop makes enough turns to take them in, for at most as long as the last answer took.
 */
export class SharedReads {
  /** By key, in the order in which they were asked. */
  private readonly waiting = new Map<string, Question>();
  private turnsLeft = 0;
  /** Monotonic time at which the next question is answered in any case. */
  private latest = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Pick<Clock, "monotonic">) {}

  /**
   * What awaits the answer continues before anything else happens.
   *
   * @param key equal for questions with equal answers
   * @param write called in a later turn, once for all who wait; what it throws rejects
   */
  ask(key: string, write: Question["write"]): Promise<Buffer> {
    let question = this.waiting.get(key);
    if (question === undefined) {
      question = { write, ...withResolvers() };
      if (this.waiting.size === 0) setImmediate(this.turn);
      this.waiting.set(key, question);
    }
    return question.answer;
  }

  private readonly turn = (): void => {
    if (this.turnsLeft > 0 && this.clock.monotonic() < this.latest) this.turnsLeft--;
    else this.answerNext();
    if (this.waiting.size > 0) setImmediate(this.turn);
  };

  private answerNext(): void {
    const [next] = this.waiting;
    if (next === undefined) return;
    const [key, question] = next;
    this.waiting.delete(key);
    const began = this.clock.monotonic();
    answer(question);
    const now = this.clock.monotonic();
    this.latest = now + (now - began);
    this.turnsLeft = TURNS_BETWEEN;
  }
}

function answer({ write, resolve, reject }: Question): void {
  try {
    const written = write();
    resolve(
      typeof written === "string"
        ? Buffer.from(written)
        : Buffer.from(written.buffer, written.byteOffset, written.length),
    );
  } catch (error) {
    reject(error);
  }
}

function withResolvers(): Pick<Question, "answer" | "resolve" | "reject"> {
  let resolve!: Question["resolve"];
  let reject!: Question["reject"];
  const answer = new Promise<Buffer>((yes, no) => {
    [resolve, reject] = [yes, no];
  });
  return { answer, resolve, reject };
}
