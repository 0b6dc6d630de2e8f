import {
  Call_Type,
  type Response_GetContainers_Container,
  Response_Type,
} from "../../proto/gen/mesos/v1/agent/agent.js";
import type { AgentContainer } from "../../sdk/contracts/agent-containers.js";
import type { CallHandler } from "./call-context.js";

/** The calls about containers as a whole, and their images. */
export const CONTAINER_READS: { readonly [type: number]: CallHandler } = {
  [Call_Type.GET_CONTAINERS]: async ({ api, call, respond }) => {
    const { show_nested: nested = false, show_standalone: standalone = false } = call.get_containers ?? {};
    const found = await api.containers.list({ nested, standalone });
    const containers = found.filter((container) => isShown(container)).map(containerOf);
    respond({ type: Response_Type.GET_CONTAINERS, get_containers: { containers } });
  },
  [Call_Type.PRUNE_IMAGES]: async ({ api, call, reply }) => {
    await api.containers.pruneImages(call.prune_images?.excluded_images ?? []);
    reply.send(200);
  },
};

const ofExecutor = ({ containerId, frameworkId }: AgentContainer): boolean =>
  containerId.parent === undefined && frameworkId !== "";

/**
 * Those that have ended are not there any more. Of executors' own it is known that they run, whether or not there is a status.
 */
const isShown = (container: AgentContainer): boolean =>
  ofExecutor(container) || container.status !== undefined;

/** Only the executor's own container says whose it is, as in Mesos; those within it say so by their ids. */
function containerOf(container: AgentContainer): Response_GetContainers_Container {
  const { containerId, frameworkId, executorId, executorName, status, statistics } = container;
  return {
    ...(ofExecutor(container) && {
      framework_id: { value: frameworkId },
      executor_id: { value: executorId },
      executor_name: executorName,
    }),
    container_id: containerId,
    container_status: status,
    resource_statistics: statistics,
  };
}
