import type { PluginSource } from "../../sdk/contracts/plugin-directory.js";
import type { FailurePolicy, PluginDefinition } from "../../sdk/plugin/index.js";
import type { Duration } from "../../sdk/values/duration.js";

/** One plugin to load: its definition, and what the manifest says about it. */
export interface PluginEntry {
  /** The plugin's own name, or the one that the manifest gives it with `as`. Unique in a kernel. */
  readonly name: string;
  readonly definition: PluginDefinition;
  readonly source: PluginSource;
  /** Not checked yet. Undefined and `{}` mean the same. */
  readonly config?: unknown;
  readonly failure?: FailurePolicy | undefined;
  readonly startTimeout?: Duration | undefined;
  readonly stopTimeout?: Duration | undefined;
  /** Where the entry was written, for messages: `master.yaml:12`. */
  readonly where?: string | undefined;
  /** Fields of its config that a flag of the same name would have filled, had it been given. */
  readonly unsetFlags?: ReadonlySet<string> | undefined;
  /** Where a field of its config was written. */
  locate?(path: readonly PropertyKey[]): string | undefined;
}

/** How a message names the plugin. */
export function label(entry: PluginEntry): string {
  return entry.where === undefined ? `plugin '${entry.name}'` : `${entry.where}: plugin '${entry.name}'`;
}

/** An entry for a plugin that is part of the program itself. */
export function builtin(definition: PluginDefinition): PluginEntry {
  return { name: definition.name, definition, source: { kind: "builtin", location: definition.name } };
}
