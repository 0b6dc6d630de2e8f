import type { ContainerID, Image } from "../../../proto/gen/mesos/v1/mesos.js";
import type {
  AgentContainer,
  AgentContainers,
  ContainerLaunch,
} from "../../../sdk/contracts/agent-containers.js";
import type { ContainerStreams, ContainerTermination } from "../../../sdk/contracts/containerizer.js";

/** Stands in for the agent's containers before the agent exists. All methods reject with TEPUI_AGENT_RECOVERING until it serves. */
export class LateAgentContainers implements AgentContainers {
  /** @param containers throws until the agent serves */
  constructor(private readonly containers: () => AgentContainers) {}

  async launch(launch: ContainerLaunch): Promise<"launched" | "exists"> {
    return this.containers().launch(launch);
  }

  async wait(containerId: ContainerID, left?: AbortSignal): Promise<ContainerTermination> {
    return this.containers().wait(containerId, left);
  }

  async kill(containerId: ContainerID, signal: number): Promise<void> {
    return this.containers().kill(containerId, signal);
  }

  async remove(containerId: ContainerID): Promise<void> {
    return this.containers().remove(containerId);
  }

  async destroy(containerId: ContainerID): Promise<void> {
    return this.containers().destroy(containerId);
  }

  async attach(containerId: ContainerID): Promise<ContainerStreams> {
    return this.containers().attach(containerId);
  }

  async list(of: { nested: boolean; standalone: boolean }): Promise<readonly AgentContainer[]> {
    return this.containers().list(of);
  }

  async pruneImages(excluded: readonly Image[]): Promise<void> {
    return this.containers().pruneImages(excluded);
  }
}
