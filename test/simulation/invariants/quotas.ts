import type { Offer } from "../../../proto/gen/mesos/v1/mesos.js";
import { fromMilli, type Quantities, Resources } from "../../../sdk/resources/index.js";
import type { MasterLife } from "../master-node.js";
import { QUOTA_ROLE } from "../operator-plans.js";
import type { World } from "../world.js";

/** Checked when a master sends offers: none may take a role beyond its limits. Reserved resources count, used or not. */
export function checkLimits(world: World, { master, process }: MasterLife, offers: readonly Offer[]): void {
  const limits = master.quotas().find(({ role }) => role === QUOTA_ROLE)?.limits ?? {};
  if (Object.keys(limits).length === 0) return;
  const given = Resources.sum(
    offers
      .filter(({ allocation_info: { role } = {} }) => role === QUOTA_ROLE)
      .map(({ resources }) => Resources.of(resources).unreserved().unallocate()),
  ).quantities();
  if (given.size === 0) return;
  const consumed = Resources.sum(
    [...master.view.agents()].map(({ total, used, offered }) =>
      total
        .reserved(QUOTA_ROLE)
        .add(used.add(offered).unreserved().allocatedToSubtree(QUOTA_ROLE))
        .unallocate(),
    ),
  );
  const quantities: Quantities = consumed.quantities();
  for (const [name, { value }] of Object.entries(limits)) {
    const taken = fromMilli(quantities.get(name) ?? 0);
    // The limits may have been set below what the role already has; then it must not get any more.
    if ((given.get(name) ?? 0) > 0 && taken > (value ?? 0) + 1e-6)
      world.violate(
        "no role is offered more than its limits",
        `${process.name}: ${QUOTA_ROLE} has ${consumed}, and is limited to ${name}:${value}`,
      );
  }
}
