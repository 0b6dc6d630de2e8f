import { setTimeout as sleep } from "node:timers/promises";

export interface UntilOptions {
  /** What is waited for, where the condition does not say it itself. */
  readonly what?: string;
  /** What there was to see when the wait was given up. */
  readonly seen?: () => string;
  /** Milliseconds; to be less than the test has, so that it ends with the reason. */
  readonly limit?: number;
}

/** Less than the minute that system tests have. */
const LIMIT = 45_000;

/** Polls until the condition holds. Rejects with what the condition throws, and where it does not hold within the limit. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { what = text(condition), seen, limit = LIMIT }: UntilOptions = {},
): Promise<void> {
  const end = new AbortController();
  let over = false;
  const late = sleep(limit, undefined, { signal: end.signal }).then(
    () => {
      over = true;
    },
    () => undefined,
  );
  try {
    // A condition that hangs is as bad as one that does not hold.
    while (!(await Promise.race([condition(), late]))) {
      if (over) {
        const last = seen === undefined ? "" : `; there is: ${seen()}`;
        throw new Error(`waited ${limit} ms in vain for ${what}${last}`);
      }
      await Promise.race([sleep(20), late]);
    }
  } finally {
    end.abort();
  }
}

/** The condition as it is written, on one line. */
const text = (condition: () => unknown): string =>
  condition
    .toString()
    .replace(/^(async )?\(\) => /, "")
    .replace(/\s+/g, " ");
