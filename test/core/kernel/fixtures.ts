import type { AnyExtensionPoint, FailurePolicy, Lifecycle } from "../../../sdk/plugin/index.js";
import {
  type Dependency,
  definePlugin,
  extensionPoint,
  type PluginDefinition,
  type Target,
} from "../../../sdk/plugin/index.js";

export const A = extensionPoint<string, "one">("test.a", { version: "1.3", cardinality: "one" });
export const B = extensionPoint<string, "one">("test.b", { version: "1.0", cardinality: "one" });
export const C = extensionPoint<string, "one">("test.c", { version: "1.0", cardinality: "one" });
export const Many = extensionPoint<string, "many">("test.many", { version: "1.0", cardinality: "many" });
export const Ordered = extensionPoint<string, "ordered">("test.ordered", {
  version: "1.0",
  cardinality: "ordered",
});
export const Keyed = extensionPoint<string, "keyed">("test.keyed", { version: "1.0", cardinality: "keyed" });

export interface ProbeOptions {
  readonly provides?: readonly AnyExtensionPoint[];
  readonly requires?: Readonly<Record<string, Dependency>>;
  readonly failure?: FailurePolicy;
  readonly targets?: readonly Target[];
  readonly setup?: () => void;
  readonly start?: Lifecycle["start"];
  readonly stop?: Lifecycle["stop"];
}

/** A plugin that binds its own name to what it provides, and writes down what happens to it. */
export function probe(name: string, journal: string[], options: ProbeOptions = {}): PluginDefinition {
  return definePlugin({
    name,
    version: "1.0.0",
    provides: options.provides ?? [],
    requires: options.requires ?? {},
    failure: options.failure ?? "abort",
    ...(options.targets !== undefined && { targets: options.targets }),
    setup(ctx) {
      journal.push(`setup ${name}`);
      options.setup?.();
      for (const point of options.provides ?? []) {
        if (point.cardinality === "keyed") ctx.bind(point as typeof Keyed, name, { key: name });
        else ctx.bind(point as typeof A, name);
      }
      return {
        start: async () => {
          journal.push(`start ${name}`);
          await options.start?.();
        },
        stop: async () => {
          journal.push(`stop ${name}`);
          await options.stop?.();
        },
      };
    },
  });
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise was fulfilled");
}
