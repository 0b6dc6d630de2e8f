import type { Resources } from "../../../sdk/resources/index.js";

/** Visits allocated resources by the role they are allocated to. Nearly all bundles are of one role, and are passed on as they are. */
export function forEachRole(allocated: Resources, visit: (role: string, resources: Resources) => void): void {
  const { entries } = allocated;
  const role = entries[0]?.kind.allocationRole;
  let one = role !== undefined;
  for (let i = 1; one && i < entries.length; i++) one = entries[i]!.kind.allocationRole === role;
  if (one) {
    visit(role!, allocated);
    return;
  }
  for (const [name, resources] of allocated.allocations()) visit(name, resources);
}
