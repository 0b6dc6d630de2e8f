import type { ExecutorInfo, FrameworkInfo, Resource, TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { convertResources } from "../../../sdk/resources/index.js";

/** Masters and frameworks without MULTI_ROLE do not set the allocation: it is the framework's only role. */
function allocated(resources: readonly Resource[], framework: FrameworkInfo): Resource[] {
  const role = framework.roles[0] ?? framework.role ?? "*";
  return convertResources(resources, "post-refinement").map((resource) =>
    resource.allocation_info === undefined ? { ...resource, allocation_info: { role } } : resource,
  );
}

export const withAllocation = (executor: ExecutorInfo, framework: FrameworkInfo): ExecutorInfo => ({
  ...executor,
  resources: allocated(executor.resources, framework),
});

export const withAllocations = (task: TaskInfo, framework: FrameworkInfo): TaskInfo => ({
  ...task,
  resources: allocated(task.resources, framework),
  ...(task.executor !== undefined && { executor: withAllocation(task.executor, framework) }),
});
