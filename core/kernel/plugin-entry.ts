import type { PluginSource } from "../../sdk/contracts/plugin-directory.js";
import type { FailurePolicy, PluginDefinition } from "../../sdk/plugin/index.js";
import type { Duration } from "../../sdk/values/duration.js";

/** One plugin to load: its definition, and what the manifest says about it. */
export interface PluginEntry {
  /** The plugin's own name, or the one that the manifest assigns with `as`. Unique within a kernel. */
  readonly name: string;
  readonly definition: PluginDefinition;
  readonly source: PluginSource;
  /** Not validated yet. Undefined means the same as `{}`. */
  readonly config?: unknown;
  readonly failure?: FailurePolicy | undefined;
  readonly startTimeout?: Duration | undefined;
  readonly stopTimeout?: Duration | undefined;
  /** Where the entry is in the manifest, for messages: `master.yaml:12`. */
  readonly where?: string | undefined;
  /** Config fields that were left unset because the flag of the same name is unset. */
  readonly unsetFlags?: ReadonlySet<string> | undefined;
  /** Where a field of its config was written. */
  locate?(path: readonly PropertyKey[]): string | undefined;
}

/** The plugin's name in messages. */
export function label(entry: PluginEntry): string {
  return entry.where === undefined ? `plugin '${entry.name}'` : `${entry.where}: plugin '${entry.name}'`;
}

/** An entry for a plugin that is part of the program itself. */
export function builtin(definition: PluginDefinition): PluginEntry {
  return { name: definition.name, definition, source: { kind: "builtin", location: definition.name } };
}
