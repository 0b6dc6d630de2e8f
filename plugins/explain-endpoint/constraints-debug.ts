import type { Allocator } from "../../sdk/contracts/allocator.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";

/**
 * For each framework the roles in which it wants no offers, and for each of its roles the agents that its offer constraints exclude:
 * what `/allocator/offer_constraints_debug` answers, on a master that does not lead for no framework.
 *
 * Source: src/master/allocator/mesos/hierarchical.cpp, `offerConstraintsDebug_`.
 */
export function constraintsDebugJson(view: MasterView, allocator: Allocator): string {
  const frameworks = Array.from(view.frameworks(), ({ id, roles, suppressedRoles }) => {
    const excluded = [...roles].sort().map((role) => [role, allocator.excludedByConstraints(id, role)]);
    const answer = {
      suppressed_roles: [...suppressedRoles].sort(),
      excluded_by_attribute_constraints: Object.fromEntries(excluded),
    };
    return [id, answer];
  });
  return JSON.stringify({ frameworks: Object.fromEntries(frameworks) });
}
