import type { Clock, Timer } from "../contracts/clock.js";

/**
 * Waits for work no longer than so many milliseconds; resolves to whether it was done by then. What is late goes on, and nobody hears
 * how it ends. Rejects when the work does so in time.
 */
export async function inTime(
  clock: Pick<Clock, "setTimeout">,
  ms: number,
  work: Promise<unknown>,
): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer?.cancel();
  }
}
