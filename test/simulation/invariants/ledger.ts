import { containsQuantities, Resources } from "../../../sdk/resources/index.js";
import { resourceList } from "../../../sdk/scheduler/index.js";
import type { Cluster } from "../cluster.js";

/** What the leading master has counted: nobody is given more than there is, and the parts make the whole. */
export function checkLedger({ masters, agents, world }: Cluster): void {
  for (const { life, name } of masters) {
    if (life === undefined || life.process.paused || life.master.leadership().role !== "leading") continue;
    for (const agent of life.master.view.agents()) {
      const taken = agent.used.add(agent.offered).unallocate();
      const has = agents.find(({ life }) => life?.agent.state.id === agent.id)?.resources;
      if (has !== undefined && !sameAmounts(agent.total, Resources.of(resourceList(has)))) {
        world.violate("resources are conserved", `${name}: ${agent.id} has ${agent.total}, and had ${has}`);
      }
      if (!agent.total.contains(taken)) {
        world.violate(
          "resources are conserved",
          `${name}: ${agent.id} has ${agent.total}, and gave ${taken}`,
        );
      }
    }
  }
}

/** At most one master thinks that it leads. */
export function checkLeaders({ masters, world }: Cluster): void {
  const leading = masters.filter(({ life }) => life !== undefined && !life.process.paused && life.holds());
  if (leading.length > 1) {
    world.violate("one leader at a time", `${leading.map(({ name }) => name).join(" and ")} lead`);
  }
}

/** Whatever is reserved, or made into volumes. */
function sameAmounts(left: Resources, right: Resources): boolean {
  const [one, other] = [left.quantities(), right.quantities()];
  return containsQuantities(one, other) && containsQuantities(other, one);
}
