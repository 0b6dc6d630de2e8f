import { existsSync } from "node:fs";
import { TepuiError } from "../errors/index.js";
import { presentIsolation } from "./aliases.js";

/** The names that a value of `--isolation` lists, old ones replaced by those of today. */
export const isolationNames = (isolation: string): ReadonlySet<string> =>
  new Set(presentIsolation(isolation).text.split(",").filter(Boolean));

/** What an isolator cannot be without. */
export interface HostNeeds {
  readonly root?: boolean;
  /** Name of the launcher that is loaded, where it has to be the one of Linux's namespaces. */
  readonly linuxLauncher?: string;
  /** A kind of namespace, as `/proc/self/ns` names it. */
  readonly namespace?: "mnt" | "pid" | "ipc";
  /** All names of `--isolation`, where `filesystem/linux` has to be among them. */
  readonly filesystemLinux?: ReadonlySet<string>;
}

/** Why they are not met on this host, with how to meet them; undefined: they are. */
export function unmetNeed(needs: HostNeeds): string | undefined {
  if (needs.root === true && process.geteuid?.() !== 0) return "root privileges: run the agent as root";
  if (needs.linuxLauncher !== undefined && needs.linuxLauncher !== "linux")
    return `the launcher 'linux', and '${needs.linuxLauncher}' is loaded: add --launcher=linux`;
  if (needs.filesystemLinux?.has("filesystem/linux") === false)
    return "the isolator 'filesystem/linux': add it to --isolation";
  if (needs.namespace !== undefined && !existsSync(`/proc/self/ns/${needs.namespace}`))
    return `namespaces of kind '${needs.namespace}': use a kernel that has them`;
  return undefined;
}

/** For a plugin's `start`: the isolator is named and this host cannot give it. */
export const unavailableIsolation = (isolator: string, need: string): TepuiError =>
  new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", { detail: `'${isolator}' needs ${need}` });
