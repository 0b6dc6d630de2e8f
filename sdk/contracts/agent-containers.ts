import type {
  CommandInfo,
  ContainerID,
  ContainerInfo,
  ContainerStatus,
  Image,
  Resource,
  ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerStreams, ContainerTermination } from "./containerizer.js";

export interface ContainerLaunch {
  /** With `parent`: within that container. Without: standalone, which needs `resources`. */
  readonly containerId: ContainerID;
  readonly command: CommandInfo | undefined;
  readonly container: ContainerInfo | undefined;
  readonly resources: readonly Resource[];
  /** Hard limits above the requests: resource name -> amount, `Infinity` for none. */
  readonly limits: Readonly<Record<string, number>>;
  /** To look into its parent, in whose namespaces it runs. */
  readonly class?: "debug" | undefined;
  /** Its streams can be attached to. */
  readonly interactive?: boolean | undefined;
}

export interface AgentContainer {
  readonly containerId: ContainerID;
  readonly frameworkId: string;
  readonly executorId: string;
  readonly executorName: string;
  /** Absent when it ended. */
  readonly status: ContainerStatus | undefined;
  readonly statistics: ResourceStatistics | undefined;
}

/**
 * Containers beside those that the agent makes for executors and command tasks: within one of these (nested), or of nobody (standalone).
 * Edges translate; all rules live here. They survive the agent as those of their root do.
 *
 * Refusals are TepuiErrors: TEPUI_CONTAINER_REQUEST_INVALID (400, with Mesos's text), TEPUI_CONTAINER_UNKNOWN (404),
 * TEPUI_CONTAINER_INPUT_TAKEN (409), TEPUI_AGENT_RECOVERING (503), and TEPUI_CONTAINER_LAUNCH_FAILED with what a containerizer said.
 */
export interface AgentContainers {
  /** `exists`: there is one of this id already. Resolves when it runs. */
  launch(launch: ContainerLaunch): Promise<"launched" | "exists">;
  /**
   * Resolves at its end, also when it ended before and was not removed; rejects for an unknown one.
   *
   * @param left aborted when nobody waits any more; then it rejects with TEPUI_CLIENT_GONE
   */
  wait(containerId: ContainerID, left?: AbortSignal): Promise<ContainerTermination>;
  /** Signals all of its processes; rejects for an unknown one. */
  kill(containerId: ContainerID, signal: number): Promise<void>;
  /** Removes what is left of one that ended, its sandbox too; TEPUI_CONTAINER_REQUEST_INVALID while it runs. */
  remove(containerId: ContainerID): Promise<void>;
  /** Ends it and what is within it at once, and forgets it. */
  destroy(containerId: ContainerID): Promise<void>;
  /** Of any container of the agent's; rejects for unknown ones and those that cannot be attached to. */
  attach(containerId: ContainerID): Promise<ContainerStreams>;
  /** All of the agent's, those of executors and command tasks too. */
  list(of: { readonly nested: boolean; readonly standalone: boolean }): Promise<readonly AgentContainer[]>;
  /** Removes the images that no container uses, except those given. */
  pruneImages(excluded: readonly Image[]): Promise<void>;
}

export const AgentContainers = extensionPoint<AgentContainers, "one">("tepui.agent-containers", {
  version: "1.0",
  cardinality: "one",
});
