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
