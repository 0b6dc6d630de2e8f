import type { Resources } from "../../sdk/resources/index.js";

/** Visits allocated resources by the role they are allocated to. Nearly all bundles are of one role, and are passed on as they are. */
export function forEachRole(allocated: Resources, visit: (role: string, resources: Resources) => void): void {
  const role = allocated.entries[0]?.kind.allocationRole;
  if (role !== undefined && allocated.entries.every(({ kind }) => kind.allocationRole === role)) {
    visit(role, allocated);
    return;
  }
  for (const [one, resources] of allocated.allocations()) visit(one, resources);
}
