import type {
  ContainerStatus,
  ResourceStatistics,
  ResourceUsage,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { AgentState } from "../agent-state.js";
import type { Executor } from "../executors/executor.js";

/** Executors whose container has not ended, as far as is known. */
export const liveExecutors = (state: AgentState): Executor[] =>
  [...state.executors()].filter((executor) => executor.state !== "terminated");

/** Revocable resources held by live executors and their tasks, without allocation roles. */
export const revocableInUse = (state: AgentState): Resources =>
  Resources.sum(liveExecutors(state).map(({ resources }) => resources.revocable())).unallocate();

/** The current status and statistics of a container; either may be missing while it starts or ends. */
export async function measureContainer({ containerizer, containerId }: Executor): Promise<{
  status: ContainerStatus | undefined;
  statistics: ResourceStatistics | undefined;
}> {
  const [status, statistics] = await Promise.all([
    containerizer?.status(containerId).catch(() => undefined),
    containerizer?.usage(containerId).catch(() => undefined),
  ]);
  return { status, statistics };
}

/** The resources of the live executors and their measured usage. Never rejects. */
export async function resourceUsage(state: AgentState): Promise<ResourceUsage> {
  const total = state.total.toMessages();
  // Their resources are taken at one moment; only the measurements come in one by one.
  const entries = liveExecutors(state).map((executor) => ({
    executor,
    executor_info: { ...executor.info, framework_id: { value: executor.ids.frameworkId } },
    allocated: executor.resources.toMessages(),
    container_id: executor.containerId,
    tasks: [...executor.launched.values()]
      .filter((task) => !isTerminal(task.state))
      .map(({ name, task_id: id, resources, labels }) => ({ name, id, resources, labels })),
  }));
  const executors = await Promise.all(
    entries.map(async ({ executor, ...entry }) => ({
      ...entry,
      statistics: await executor.containerizer?.usage(executor.containerId).catch(() => undefined),
    })),
  );
  return { executors, total };
}
