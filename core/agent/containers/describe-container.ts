import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentContainer } from "../../../sdk/contracts/agent-containers.js";
import type { Home } from "./homes.js";

/** The current state of a container; one that has just ended has neither status nor statistics. */
export async function describeContainer(
  containerId: ContainerID,
  { executor, containerizer }: Pick<Home, "executor" | "containerizer">,
): Promise<AgentContainer> {
  const [status, statistics] = await Promise.all([
    containerizer?.status(containerId).catch(() => undefined),
    containerizer?.usage(containerId).catch(() => undefined),
  ]);
  return {
    containerId,
    frameworkId: executor?.ids.frameworkId ?? "",
    executorId: executor?.id ?? "",
    executorName: executor?.name ?? "",
    status,
    statistics,
  };
}
