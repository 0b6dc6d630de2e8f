import { loadDaemonFlags } from "../../../core/flags/index.js";
import type { FlagSources } from "../../../core/flags/load-flags.js";
import type { Target } from "../../../sdk/plugin/index.js";

/** Loads flags, with values and origins by name. */
export function load(target: Target, args: readonly string[], more: Omit<FlagSources, "args"> = {}) {
  const loaded = loadDaemonFlags(target, { args, ...more });
  const given = Object.fromEntries([...loaded.given].map(([name, { value }]) => [name, value.value]));
  const origins = Object.fromEntries([...loaded.given].map(([name, { origin }]) => [name, origin.where]));
  return { ...loaded, values: given, origins };
}
