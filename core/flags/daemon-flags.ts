import type { Target } from "../../sdk/plugin/index.js";
import { AGENT_FLAGS } from "./agent-flags.js";
import { type FlagSpec, flag, setting } from "./flag-spec.js";
import { readLibprocessEnvironment } from "./libprocess-environment.js";
import { type FlagSources, type LoadedFlags, loadFlags } from "./load-flags.js";
import { MASTER_FLAGS } from "./master-flags.js";

/** Settings that Mesos does not have as flags. Without a value they do not appear in `/flags`. */
const OWN_SETTINGS: readonly FlagSpec[] = [
  flag(
    "require_peer_address_ip_match",
    "bool",
    undefined,
    setting,
    "Drop messages whose sender names another address than the one they come from. Default: false.",
  ),
];

const OWN_MASTER_SETTINGS: readonly FlagSpec[] = [
  flag("grpc_port", "uint16", undefined, setting, "Port of the gRPC scheduler API. Default: 5055."),
];

/** Flags that are not settings. */
const OWN_FLAGS: readonly FlagSpec[] = [
  flag("manifest", "path", undefined, setting, "Manifest (YAML or JSON) in place of the one that ships."),
];

/** What a manifest may set, and what `/flags` shows. */
export const DAEMON_SETTINGS: Readonly<Record<Target, readonly FlagSpec[]>> = {
  master: [...MASTER_FLAGS, ...OWN_SETTINGS, ...OWN_MASTER_SETTINGS],
  agent: [...AGENT_FLAGS, ...OWN_SETTINGS],
};

/** What a command line may contain. */
export const DAEMON_FLAGS: Readonly<Record<Target, readonly FlagSpec[]>> = {
  master: [...DAEMON_SETTINGS.master, ...OWN_FLAGS],
  agent: [...DAEMON_SETTINGS.agent, ...OWN_FLAGS],
};

/** Reads the flags of a daemon from its own sources and from the variables of Mesos's messaging library. */
export function loadDaemonFlags(target: Target, sources: FlagSources): LoadedFlags {
  const library = readLibprocessEnvironment(sources.environment ?? {});
  const loaded = loadFlags(DAEMON_FLAGS[target], { ...sources, weakest: library.assignments });
  return {
    ...loaded,
    problems: [...library.problems, ...loaded.problems],
    warnings: [...library.warnings, ...loaded.warnings],
  };
}
