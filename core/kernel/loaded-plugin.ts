import type { PluginDescription, PluginState } from "../../sdk/contracts/plugin-directory.js";
import type { AnyExtensionPoint } from "../../sdk/plugin/index.js";
import { type FailurePolicy, isOptional, type Lifecycle, pointOf } from "../../sdk/plugin/index.js";
import type { Binder } from "./bindings.js";
import type { PlannedPlugin } from "./plan.js";
import type { PluginEntry } from "./plugin-entry.js";
import { maskSecrets } from "./secrets.js";
import type { StateDir } from "./state-dir.js";

/** One plugin in a running kernel. */
export class LoadedPlugin implements Binder {
  readonly entry: PluginEntry;
  readonly index: number;
  readonly config: unknown;
  /** Aborted when the kernel begins to stop, or the plugin drops out. */
  readonly abort = new AbortController();
  state: PluginState = "loaded";
  reason: string | undefined;
  lifecycle: Lifecycle = {};
  setupMs: number | undefined;
  startMs: number | undefined;
  stopMs: number | undefined;
  /** True as soon as `start` has been called: from then on `stop` must be called, too. */
  startCalled = false;

  constructor(
    planned: PlannedPlugin,
    readonly stateDir: StateDir,
  ) {
    this.entry = planned.entry;
    this.index = planned.index;
    this.config = planned.config;
  }

  get name(): string {
    return this.entry.name;
  }

  get provides(): readonly AnyExtensionPoint[] {
    return this.entry.definition.provides;
  }

  get failure(): FailurePolicy {
    return this.entry.failure ?? this.entry.definition.failure;
  }

  /** True while it takes part: not skipped, degraded or failed. */
  get active(): boolean {
    return this.state === "loaded" || this.state === "starting" || this.state === "ready";
  }

  describe(): PluginDescription {
    const { definition, source } = this.entry;
    const point = ({ name, version, cardinality }: AnyExtensionPoint) => ({ name, version, cardinality });
    return {
      name: this.name,
      version: definition.version,
      description: definition.description,
      source,
      targets: definition.targets,
      provides: definition.provides.map(point),
      requires: Object.entries(definition.requires).map(([as, dependency]) => ({
        as,
        optional: isOptional(dependency),
        ...point(pointOf(dependency)),
      })),
      config: maskSecrets(this.config, definition.config),
      failure: this.failure,
      state: this.state,
      reason: this.reason,
      setupMs: this.setupMs,
      startMs: this.startMs,
      stopMs: this.stopMs,
    };
  }
}
