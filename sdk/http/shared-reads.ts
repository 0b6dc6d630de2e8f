import type { Clock } from "../contracts/clock.js";

interface Question {
  readonly write: () => string | Uint8Array;
  readonly answer: Promise<Buffer>;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Answers that tell of a whole cluster, which take time and memory in proportion to it. Who asks the same while a question waits gets the same
 * bytes; they are written after the last of them has asked, so that nobody hears what was so before.
 *
 * One question is answered at a time, and then nothing for as long as that took: the event loop takes in one connection a turn, so that
 * `/health`, and whoever asks the same, may stand behind many.
 */
export class SharedReads {
  /** By key, in the order in which they were asked. */
  private readonly waiting = new Map<string, Question>();
  /** Monotonic time. */
  private earliest = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: Pick<Clock, "monotonic" | "setTimeout">) {}

  /**
   * What awaits the answer goes on before anything else happens.
   *
   * @param key equal for questions with equal answers
   * @param write called in a later turn, once for all who wait; what it throws rejects
   */
  ask(key: string, write: Question["write"]): Promise<Buffer> {
    let question = this.waiting.get(key);
    if (question === undefined) {
      question = { write, ...withResolvers() };
      if (this.waiting.size === 0) this.schedule();
      this.waiting.set(key, question);
    }
    return question.answer;
  }

  private schedule(): void {
    const delay = this.earliest - this.clock.monotonic();
    if (delay > 0) this.clock.setTimeout(this.turn, delay);
    else setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    const [next] = this.waiting;
    if (next === undefined) return;
    const [key, question] = next;
    this.waiting.delete(key);
    const began = this.clock.monotonic();
    answer(question);
    const now = this.clock.monotonic();
    this.earliest = now + (now - began);
    if (this.waiting.size > 0) this.schedule();
  };
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
