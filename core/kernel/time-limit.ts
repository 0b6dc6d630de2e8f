import type { Clock } from "../../sdk/contracts/clock.js";
import type { Duration } from "../../sdk/values/duration.js";

type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "late" };

export interface Limited {
  readonly outcome: Outcome;
  /** Milliseconds until the work ended or was abandoned. */
  readonly ms: number;
}

/** Runs work and waits for it no longer than `limit`. Overdue work continues unobserved: a promise cannot be cancelled. */
export async function withTimeLimit(
  clock: Clock,
  limit: Duration,
  work: () => Promise<void> | void,
): Promise<Limited> {
  const begun = clock.monotonic();
  const outcome = await new Promise<Outcome>((resolve) => {
    const timer = clock.setTimeout(() => resolve({ kind: "late" }), limit);
    const settle = (outcome: Outcome): void => {
      timer.cancel();
      resolve(outcome);
    };
    Promise.resolve()
      .then(work)
      .then(
        () => settle({ kind: "done" }),
        (error: unknown) => settle({ kind: "failed", error }),
      );
  });
  return { outcome, ms: clock.monotonic() - begun };
}
