import { setTimeout as sleep } from "node:timers/promises";

/** Asks until there is an answer. A question that throws has none yet. Rejects after `limitMs`, with the last error. */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  limitMs = 8000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(10);
  }
  throw new Error(`nothing within ${limitMs} ms`, { cause: last });
}
