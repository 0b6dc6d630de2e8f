import type {
  AnyExtensionPoint,
  ExtensionPoint,
  PluginContext,
  PluginDefinition,
} from "../../sdk/plugin/index.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import type { PluginEntry } from "../kernel/plugin-entry.js";
import { builtin } from "../kernel/plugin-entry.js";

/** An implementation that a test substitutes for whatever the plugins bind to a point. */
export interface Override {
  readonly point: AnyExtensionPoint;
  readonly implementation: unknown;
}

export function override<T>(point: ExtensionPoint<T, "one">, implementation: NoInfer<T>): Override {
  return { point, implementation };
}

/** The entries without any provision of an overridden point, plus one plugin that provides the overrides. */
export function applyOverrides(
  entries: readonly PluginEntry[],
  overrides: readonly Override[],
): PluginEntry[] {
  if (overrides.length === 0) return [...entries];
  const tokens = new Set(overrides.map(({ point }) => point.token));
  const replacement = definePlugin({
    name: "test-overrides",
    version: "1.0.0",
    provides: overrides.map(({ point }) => point),
    setup(ctx) {
      for (const { point, implementation } of overrides)
        ctx.bind(point as ExtensionPoint<unknown, "one">, implementation);
    },
  });
  return [
    builtin(replacement),
    ...entries.map((entry) => ({ ...entry, definition: without(entry.definition, tokens) })),
  ];
}

function without(definition: PluginDefinition, tokens: ReadonlySet<symbol>): PluginDefinition {
  if (!definition.provides.some((point) => tokens.has(point.token))) return definition;
  return {
    ...definition,
    provides: definition.provides.filter((point) => !tokens.has(point.token)),
    setup(ctx, deps) {
      const bind = (point: AnyExtensionPoint, ...rest: unknown[]): void => {
        if (tokens.has(point.token)) return;
        (ctx.bind as (...args: unknown[]) => void)(point, ...rest);
      };
      return definition.setup({ ...ctx, bind } as PluginContext, deps);
    },
  };
}
