import { extensionPoint } from "../plugin/extension-point.js";

/** The only source of randomness for state machines, so that a run can be repeated from a seed. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A random (version 4) UUID in its usual text form, 36 characters, lower case. */
  uuid(): string;
  bytes(count: number): Uint8Array;
}

export const Random = extensionPoint<Random, "one">("tepui.random", { version: "1.0", cardinality: "one" });
