import type { DomainInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { NoOfferCode } from "../../../sdk/contracts/allocator-explanation.js";
import type { Resources } from "../../../sdk/resources/index.js";
import type { AgentState } from "../agent-state.js";
import type { FrameworkState } from "../framework-state.js";

export interface GateOptions {
  /** Keep agents with GPUs for frameworks that know GPUs. */
  readonly filterGpuResources: boolean;
  /** The master's own; agents of another region are remote. */
  readonly domain: DomainInfo | undefined;
}

/** What a framework cannot be offered because it, or the agent, would not understand it. */
export class CapabilityGates {
  constructor(private readonly options: GateOptions) {}

  /** Why the framework cannot be offered anything of the agent in this role; undefined when it can. */
  obstacle(framework: FrameworkState, role: string, agent: AgentState): NoOfferCode | undefined {
    if (this.options.filterGpuResources && !framework.gpus && agent.hasGpus) return "NEEDS_GPU_RESOURCES";
    if (agent.region !== undefined && !framework.regionAware && this.isRemote(agent.region)) {
      return "NEEDS_REGION_AWARE";
    }
    if (framework.multiRole && !agent.multiRole) return "AGENT_LACKS_MULTI_ROLE";
    return agent.hierarchicalRoles || !role.includes("/") ? undefined : "AGENT_LACKS_HIERARCHICAL_ROLE";
  }

  /** The part of the resources that the framework understands. */
  understood(framework: FrameworkState, resources: Resources): Resources {
    return resources.filter(
      ({ kind }) =>
        kind.plain ||
        ((framework.shared || !kind.shared) &&
          (framework.revocable || !kind.revocable) &&
          (framework.refinedReservations || kind.reservations.length < 2)),
    );
  }

  private isRemote(region: string): boolean {
    return region !== this.options.domain?.fault_domain?.region?.name;
  }
}
