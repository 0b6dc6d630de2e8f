import { join } from "node:path";
import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Containerizer } from "../../../sdk/contracts/containerizer.js";
import { containerName } from "../../../sdk/ids/index.js";
import type { AgentState } from "../agent-state.js";
import type { Executor } from "../executors/executor.js";
import { type Home, homeIn, type Place, within } from "./homes.js";

/** Finds containers by id: those of executors, nested ones, and standalone ones. */
export class KnownHomes {
  /** @param others all containers except those of executors, by name */
  constructor(
    private readonly state: Pick<AgentState, "executors">,
    private readonly others: ReadonlyMap<string, Home>,
  ) {}

  /** The executor that this container belongs to. */
  executor({ value }: ContainerID): Executor | undefined {
    for (const executor of this.state.executors())
      if (executor.containerId.value === value && executor.state !== "terminated") return executor;
    return undefined;
  }

  home(containerId: ContainerID): Home | undefined {
    const other = this.others.get(containerName(containerId));
    if (other !== undefined || containerId.parent !== undefined) return other;
    const executor = this.executor(containerId);
    return executor && homeIn(executor);
  }

  owner(containerId: ContainerID): Containerizer | undefined {
    return this.home(containerId)?.containerizer;
  }

  /** The sandbox of a container that is no longer known, if its outermost container is. */
  place({ value, parent }: ContainerID): Place | undefined {
    if (parent === undefined) return undefined;
    const above = this.home(parent) ?? this.place(parent);
    return above && { directory: join(above.directory, within({ value })), outermost: above.outermost };
  }
}
