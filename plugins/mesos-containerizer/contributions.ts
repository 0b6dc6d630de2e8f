import type { Contribution, RootFilesystem } from "../../sdk/contracts/contribution.js";

type Merged = { -readonly [K in keyof Contribution]: Contribution[K] };

/** Of these the later one stands. */
const SINGLE = [
  "command",
  "workingDirectory",
  "user",
  "hostname",
  "rootfs",
  "seccompFilter",
  "oomScoreAdjust",
] as const satisfies readonly (keyof Contribution)[];
const RECORDS = ["environment", "finalEnvironment", "enter", "symlinks", "rlimits", "capabilities"] as const;
/** `wrap` puts a later isolator's words inside an earlier one's. */
const LISTS = [
  "supplementaryGroups",
  "mounts",
  "deviceNodes",
  "maskedPaths",
  "readonlyPaths",
  "devices",
  "cgroups",
  "preExec",
  "wrap",
] as const satisfies readonly (keyof Contribution)[];

/**
 * One contribution out of those of all isolators, in their order: lists are joined, records merged key by key, and of single
 * values the later one stands.
 */
export function mergeContributions(
  contributions: readonly (Contribution | undefined)[],
  rootfs?: RootFilesystem,
): Contribution {
  const merged: Merged = rootfs === undefined ? {} : { rootfs };
  for (const next of contributions) {
    if (next === undefined) continue;
    for (const field of SINGLE)
      if (next[field] !== undefined) Object.assign(merged, { [field]: next[field] });
    for (const field of RECORDS) {
      if (next[field]) Object.assign(merged, { [field]: { ...merged[field], ...next[field] } });
    }
    for (const field of LISTS) {
      if (next[field]) Object.assign(merged, { [field]: [...(merged[field] ?? []), ...next[field]] });
    }
    if (next.namespaces) merged.namespaces = [...new Set([...(merged.namespaces ?? []), ...next.namespaces])];
    // Privileges once given up stay given up.
    if (next.noNewPrivileges !== undefined) {
      merged.noNewPrivileges = merged.noNewPrivileges === true || next.noNewPrivileges;
    }
  }
  return merged;
}
