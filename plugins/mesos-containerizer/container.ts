import type { ContainerRequest, ContainerTermination } from "../../sdk/contracts/containerizer.js";
import type { ContainerLimitation } from "../../sdk/contracts/isolator.js";
import type { LaunchedProcess } from "../../sdk/contracts/launcher.js";
import { containerName } from "../../sdk/ids/index.js";
import type { ContainerIsolation } from "./container-isolation.js";
import type { Surroundings } from "./surroundings.js";

/** A container that was launched, or found, and is not forgotten. */
export interface Container {
  /** `containerName` of its id. */
  readonly id: string;
  request: ContainerRequest;
  /** The one that it is within. */
  readonly parent: Container | undefined;
  /** Those within it. */
  readonly children: Set<Container>;
  readonly isolation: ContainerIsolation;
  readonly abort: AbortController;
  process: LaunchedProcess | undefined;
  /** Known from before it runs; undefined for one whose earlier agent did not come to write that down. */
  surroundings: Surroundings | undefined;
  limitation: ContainerLimitation | undefined;
  /** Settles with the end of the container, or with why it never ran. */
  ended: Promise<ContainerTermination>;
  /** Set once it ends: settles when none of its processes and nothing of its isolators is left. */
  settled: Promise<void> | undefined;
}

export function makeContainer(
  request: ContainerRequest,
  parent: Container | undefined,
  isolation: ContainerIsolation,
): Container {
  const container: Container = {
    id: containerName(request.containerId),
    request,
    parent,
    children: new Set(),
    isolation,
    abort: new AbortController(),
    process: undefined,
    surroundings: undefined,
    limitation: undefined,
    ended: Promise.resolve({ exit: undefined }),
    settled: undefined,
  };
  parent?.children.add(container);
  return container;
}

/** The container whose isolators keep this one: itself, or the one that it looks into. */
export function isolated(container: Container): Container {
  return container.request.class === "debug" && container.parent !== undefined
    ? isolated(container.parent)
    : container;
}

/** How many containers it is within. */
export const depth = ({ containerId }: ContainerRequest): number => {
  let levels = 0;
  for (let above = containerId.parent; above !== undefined; above = above.parent) levels++;
  return levels;
};
