import type { Target } from "../plugin/context.js";
import type { FailurePolicy } from "../plugin/define-plugin.js";
import type { Cardinality } from "../plugin/extension-point.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** Where a plugin was loaded from: `builtin` is part of the kernel or of a daemon's core, `shipped` comes in `plugins/`. */
export interface PluginSource {
  readonly kind: "builtin" | "shipped" | "path" | "package";
  /** Short name, file path or package name. */
  readonly location: string;
}

/**
 * - `loaded`: known, not set up yet; `starting`: set up, not ready yet.
 * - `ready`: started.
 * - `skipped`: left out, with the reason: not on this host, disabled, or failed under the policy `skip`.
 * - `degraded`: failed under the policy `degrade`; the daemon runs without it.
 * - `failed`: failed and ended the boot, or failed to stop.
 * - `stopped`: stopped in order.
 */
export type PluginState = "loaded" | "starting" | "ready" | "skipped" | "degraded" | "failed" | "stopped";

interface PointDescription {
  readonly name: string;
  readonly version: string;
  readonly cardinality: Cardinality;
}

interface RequirementDescription extends PointDescription {
  /** The name under which the plugin receives it. */
  readonly as: string;
  readonly optional: boolean;
}

export interface PluginDescription {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly source: PluginSource;
  readonly targets: readonly Target[];
  readonly provides: readonly PointDescription[];
  readonly requires: readonly RequirementDescription[];
  /** Complete with defaults; secrets are masked. Undefined for a plugin without configuration. */
  readonly config: unknown;
  readonly failure: FailurePolicy;
  readonly state: PluginState;
  /** Why it is skipped, degraded or failed. */
  readonly reason: string | undefined;
  /** Milliseconds that each phase took; undefined when it did not run (to its end). */
  readonly setupMs: number | undefined;
  readonly startMs: number | undefined;
  readonly stopMs: number | undefined;
}

/** `from` requires what `to` provides. */
export interface PluginEdge {
  readonly from: string;
  readonly to: string;
  readonly point: string;
  readonly optional: boolean;
}

export interface PluginGraph {
  /** Names of the plugins that are started together, in order of the start. */
  readonly layers: readonly (readonly string[])[];
  readonly edges: readonly PluginEdge[];
}

/** What is loaded into this process and how it fares. */
export interface PluginDirectory {
  /** In manifest order. */
  describe(): readonly PluginDescription[];
  graph(): PluginGraph;
}

export const PluginDirectory = extensionPoint<PluginDirectory, "one">("tepui.plugin-directory", {
  version: "1.0",
  cardinality: "one",
});
