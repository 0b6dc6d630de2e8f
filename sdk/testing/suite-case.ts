/**
 * One case of a contract's suite. A suite is a list of them, bound to no test framework:
 *
 *     for (const { name, run } of registrySuite(make)) it(name, run);
 */
export interface SuiteCase {
  readonly name: string;
  /** Rejects when the implementation does not keep the contract. */
  run(): Promise<void>;
}

/** Makes cases with a subject each, which is closed however the case ends. */
export function casesOf<S extends { close?(): Promise<unknown> }>(
  make: () => Promise<S>,
): (name: string, body: (subject: S) => Promise<void>) => SuiteCase {
  return (name, body) => ({
    name,
    run: async () => {
      const subject = await make();
      try {
        await body(subject);
      } finally {
        await subject.close?.();
      }
    },
  });
}
