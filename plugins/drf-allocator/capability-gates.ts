import type { DomainInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Resources } from "../../sdk/resources/index.js";
import type { AgentState } from "./agent-state.js";
import type { FrameworkState } from "./framework-state.js";

export interface GateOptions {
  /** Keep agents with GPUs for frameworks that know GPUs. */
  readonly filterGpuResources: boolean;
  /** The master's own; agents of another region are remote. */
  readonly domain: DomainInfo | undefined;
}

/** What a framework cannot be offered because it, or the agent, would not understand it. */
export class CapabilityGates {
  constructor(private readonly options: GateOptions) {}

  /** Whether the framework can be offered anything of the agent in this role. */
  admits(framework: FrameworkState, role: string, agent: AgentState): boolean {
    if (this.options.filterGpuResources && !framework.gpus && agent.hasGpus) return false;
    if (agent.region !== undefined && !framework.regionAware && this.isRemote(agent.region)) return false;
    if (framework.multiRole && !agent.multiRole) return false;
    return agent.hierarchicalRoles || !role.includes("/");
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
