import type { Contribution } from "../../sdk/contracts/isolator.js";

/**
 * One contribution out of those of all isolators, in their order: lists are joined, records merged key by key, and of single
 * values the later one stands. `wrap` puts a later isolator's words inside an earlier one's.
 */
export function mergeContributions(contributions: readonly (Contribution | undefined)[]): Contribution {
  const merged: { -readonly [K in keyof Contribution]: Contribution[K] } = {};
  for (const next of contributions) {
    if (next === undefined) continue;
    Object.assign(merged, single(next));
    if (next.environment) merged.environment = { ...merged.environment, ...next.environment };
    if (next.rlimits) merged.rlimits = { ...merged.rlimits, ...next.rlimits };
    if (next.capabilities) merged.capabilities = { ...merged.capabilities, ...next.capabilities };
    if (next.namespaces) merged.namespaces = [...new Set([...(merged.namespaces ?? []), ...next.namespaces])];
    if (next.mounts) merged.mounts = [...(merged.mounts ?? []), ...next.mounts];
    if (next.cgroups) merged.cgroups = [...(merged.cgroups ?? []), ...next.cgroups];
    if (next.preExec) merged.preExec = [...(merged.preExec ?? []), ...next.preExec];
    if (next.wrap) merged.wrap = [...(merged.wrap ?? []), ...next.wrap];
    // Privileges once given up stay given up.
    if (next.noNewPrivileges !== undefined) {
      merged.noNewPrivileges = merged.noNewPrivileges === true || next.noNewPrivileges;
    }
  }
  return merged;
}

function single({ workingDirectory, user, networkNamespace, rootfs }: Contribution): Partial<Contribution> {
  return {
    ...(workingDirectory !== undefined && { workingDirectory }),
    ...(user !== undefined && { user }),
    ...(networkNamespace !== undefined && { networkNamespace }),
    ...(rootfs !== undefined && { rootfs }),
  };
}
