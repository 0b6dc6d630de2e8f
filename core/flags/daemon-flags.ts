import type { Target } from "../../sdk/plugin/index.js";
import { AGENT_FLAGS } from "./agent-flags.js";
import { type FlagSpec, flag, setting } from "./flag-spec.js";
import { readLibprocessEnvironment } from "./libprocess-environment.js";
import { type FlagSources, type LoadedFlags, loadFlags } from "./load-flags.js";
import { MASTER_FLAGS } from "./master-flags.js";

/** Flags of ours that Mesos does not have. */
const OWN_FLAGS: readonly FlagSpec[] = [
  flag("manifest", "path", undefined, setting, "Manifest (YAML or JSON) in place of the one that ships."),
];

/** What a manifest may hold in its settings, and `/flags` shows. */
export const DAEMON_SETTINGS: Readonly<Record<Target, readonly FlagSpec[]>> = {
  master: MASTER_FLAGS,
  agent: AGENT_FLAGS,
};

/** What a command line may hold. */
export const DAEMON_FLAGS: Readonly<Record<Target, readonly FlagSpec[]>> = {
  master: [...MASTER_FLAGS, ...OWN_FLAGS],
  agent: [...AGENT_FLAGS, ...OWN_FLAGS],
};

/** Reads the flags of a daemon, from its own sources and from the variables of Mesos's messaging library. */
export function loadDaemonFlags(target: Target, sources: FlagSources): LoadedFlags {
  const library = readLibprocessEnvironment(sources.environment ?? {});
  const loaded = loadFlags(DAEMON_FLAGS[target], { ...sources, weakest: library.assignments });
  return {
    ...loaded,
    problems: [...library.problems, ...loaded.problems],
    warnings: [...library.warnings, ...loaded.warnings],
  };
}
