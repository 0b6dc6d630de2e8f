import { setTimeout as sleep } from "node:timers/promises";

/** How many times as long as elsewhere things may take: more than 1 in a virtual machine whose processor is emulated. */
export const PATIENCE = Number(process.env.TEPUI_TEST_PATIENCE ?? 1);

/**
 * Asks until there is an answer. A question that throws has none yet. Rejects after `limitMs`, times the patience, with the question and
 * the last error.
 */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  limitMs = 15_000,
): Promise<T> {
  const end = performance.now() + limitMs * PATIENCE;
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
  const why = last === undefined ? "" : `; last: ${String(last)}`;
  throw new Error(
    `no answer within ${limitMs * PATIENCE} ms to ${ask.toString().replace(/\s+/g, " ")}${why}`,
    {
      cause: last,
    },
  );
}
