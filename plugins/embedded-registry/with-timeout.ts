import type { Clock } from "../../sdk/contracts/clock.js";

/** Rejects when the work takes longer than `ms`; the work itself goes on, and its late outcome is ignored. */
export async function withTimeout<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  let expire: (error: Error) => void = () => {};
  const expired = new Promise<never>((_, reject) => {
    expire = reject;
  });
  const timer = clock.setTimeout(() => expire(new Error(`no answer from the disk within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, expired]);
  } finally {
    timer.cancel();
  }
}
