import type { QuotaConfig } from "../../../proto/gen/mesos/v1/quota/quota.js";
import type { RoleRecord } from "../../../sdk/contracts/master-view.js";
import { Resources } from "../../../sdk/resources/index.js";
import { ancestorsOf } from "../../../sdk/roles/index.js";
import type { Cluster } from "../cluster.js";
import { getOrAdd } from "../get-or-add.js";
import type { MasterOptions } from "../options.js";

class Draft {
  readonly allocated: Resources[] = [];
  readonly offered: Resources[] = [];
  readonly reserved: Resources[] = [];
  readonly frameworks = new Set<string>();
}

export interface RoleSettings extends Pick<MasterOptions, "roles" | "weights"> {
  readonly quotas: readonly QuotaConfig[];
}

/**
 * The roles in use: those that frameworks have or hold resources in, that resources are reserved for, that have a weight or a quota, or are
 * listed in `--roles`; and all their ancestors. Sorted by name.
 */
export function rolesIn(cluster: Cluster, { roles, weights, quotas }: RoleSettings): RoleRecord[] {
  const drafts = new Map<string, Draft>();
  const draft = (role: string): Draft => getOrAdd(drafts, role, () => new Draft());
  for (const framework of cluster.frameworks.values()) {
    for (const role of framework.roles) draft(role).frameworks.add(framework.id);
    for (const [role, used] of framework.used.allocations()) {
      draft(role).frameworks.add(framework.id);
      draft(role).allocated.push(used);
    }
    for (const [role, offered] of framework.offered.allocations()) draft(role).offered.push(offered);
  }
  for (const agent of cluster.agents.values()) {
    for (const [role, reserved] of agent.total.reservations()) draft(role).reserved.push(reserved);
  }
  for (const role of weights.keys()) draft(role);
  for (const { role = "" } of quotas) draft(role);
  if (roles !== undefined) for (const role of ["*", ...roles]) draft(role);
  for (const role of [...drafts.keys()]) for (const ancestor of ancestorsOf(role)) draft(ancestor);

  return [...drafts.keys()].sort().map((name) => {
    const { allocated, offered, reserved, frameworks } = draft(name);
    return {
      name,
      weight: weights.get(name) ?? 1,
      quota: quotas.find(({ role }) => role === name),
      allocated: Resources.sum(allocated),
      offered: Resources.sum(offered),
      reserved: Resources.sum(reserved),
      frameworks: [...frameworks].sort(),
    };
  });
}
