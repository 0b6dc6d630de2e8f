import type { z } from "zod";
import type { PluginContext, Target } from "./context.js";
import type { Dependencies, Requirements } from "./dependency.js";
import type { AnyExtensionPoint } from "./extension-point.js";

/**
 * What happens when a plugin fails in `setup` or `start`.
 *
 * - `abort` (default): the daemon does not start.
 * - `degrade`: the daemon runs without it; the plugin is listed as degraded, with the error.
 * - `skip`: the daemon runs without it; the plugin is listed as skipped.
 *
 * A plugin that needs a `one` point of a failed or skipped plugin fails in turn, and its own policy applies.
 */
export type FailurePolicy = "abort" | "degrade" | "skip";

/**
 * What `setup` returns. `start` begins work; `stop` undoes it and runs in the reverse order of the starts.
 * `stop` is also called after a `start` that failed or took too long, so it must cope with a start that is half done.
 */
export interface Lifecycle {
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** A plugin as its author writes it. Everything except `setup` is data that is read without running any code of the plugin. */
export interface PluginSpec<
  P extends readonly AnyExtensionPoint[],
  R extends Requirements,
  S extends z.ZodType,
> {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  /** Version of the plugin, `1.2.3`. */
  readonly version: string;
  /** One line. */
  readonly description?: string;
  /** The daemons that it may be loaded into; absent: both. */
  readonly targets?: readonly Target[];
  readonly provides?: P;
  readonly requires?: R;
  /** Schema of its part of the manifest; absent: it takes no configuration. Mark secrets with `.meta({ secret: true })`. */
  readonly config?: S;
  readonly failure?: FailurePolicy;
  /**
   * Binds implementations to the points in `provides`. Runs after the `setup` of what the plugin requires, so `deps` are
   * the real objects, but before any `start`: nothing may be used yet, only wired. Synchronous.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a setup that returns nothing is the common case.
  setup(ctx: PluginContext<z.output<S>>, deps: Dependencies<R>): Lifecycle | void;
}

/** A plugin as the kernel sees it: the same data, complete, with the types of config and dependencies taken off. */
export interface PluginDefinition {
  /** Tells a plugin from any other default export. */
  readonly kind: "tepui-plugin";
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly targets: readonly Target[];
  readonly provides: readonly AnyExtensionPoint[];
  readonly requires: Requirements;
  readonly config: z.ZodType | undefined;
  readonly failure: FailurePolicy;
  // biome-ignore lint/suspicious/noConfusingVoidType: see PluginSpec.
  setup(ctx: PluginContext, deps: Readonly<Record<string, unknown>>): Lifecycle | void;
}

const BOTH_TARGETS: readonly Target[] = ["master", "agent"];

/**
 * Defines a plugin; the result is the default export of the plugin's module.
 *
 *     export default definePlugin({
 *       name: "stamp",
 *       version: "1.0.0",
 *       provides: [Isolator],
 *       setup: (ctx) => ctx.bind(Isolator, new StampIsolator(ctx.logger)),
 *     });
 *
 * The shape is checked when the plugin is loaded, so that every fault of every plugin is reported in one go.
 */
export function definePlugin<
  const P extends readonly AnyExtensionPoint[] = readonly [],
  // biome-ignore lint/complexity/noBannedTypes: no requirements means no keys.
  const R extends Requirements = {},
  S extends z.ZodType = z.ZodObject<Record<never, never>>,
>(spec: PluginSpec<P, R, S>): PluginDefinition {
  return Object.freeze({
    kind: "tepui-plugin",
    name: spec.name,
    version: spec.version,
    description: spec.description ?? "",
    targets: spec.targets ?? BOTH_TARGETS,
    provides: spec.provides ?? [],
    requires: spec.requires ?? {},
    config: spec.config,
    failure: spec.failure ?? "abort",
    // The kernel parses config with spec.config and resolves deps from spec.requires, so the types hold.
    setup: (ctx: PluginContext, deps: Readonly<Record<string, unknown>>) =>
      spec.setup(ctx as PluginContext<z.output<S>>, deps as Dependencies<R>),
  });
}
