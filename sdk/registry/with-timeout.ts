import type { Clock } from "../contracts/clock.js";

/** Rejects with an Error when the work takes longer than `ms`. The work itself continues, but its outcome is ignored. */
export async function withTimeout<T>(options: {
  readonly clock: Clock;
  readonly ms: number;
  readonly work: Promise<T>;
  /** Who should have answered, for the error: `ZooKeeper`. */
  readonly by: string;
}): Promise<T> {
  const { clock, ms, work, by } = options;
  let expire: (error: Error) => void = () => {};
  const expired = new Promise<never>((_, reject) => {
    expire = reject;
  });
  const timer = clock.setTimeout(() => expire(new Error(`no answer from ${by} within ${ms} ms`)), ms);
  try {
    return await Promise.race([work, expired]);
  } finally {
    timer.cancel();
  }
}
