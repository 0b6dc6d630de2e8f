import type { Resource, Value_Scalar } from "../../../proto/gen/mesos/v1/mesos.js";
import { fromMilli, Resources, toMilli } from "../../../sdk/resources/index.js";

interface Limited {
  readonly resources: readonly Resource[];
  readonly limits: Readonly<Record<string, Value_Scalar>>;
}

export interface LimitRules {
  /** Whether CPU limits are enforced at all (`--cgroups_enable_cfs`). */
  readonly cfs: boolean;
}

/**
 * What an executor's container may use at most: resource name -> amount, `Infinity` where a task is to be unlimited. A name is
 * there only when a task has a limit of it; the executor and the tasks without one then count with their requests.
 *
 * @param executor resources of the executor itself
 * @param tasks those that are not over
 */
export function executorLimits(
  executor: readonly Resource[],
  tasks: readonly Limited[],
  { cfs }: LimitRules,
): Record<string, number> {
  const limits: Record<string, number> = {};
  const own = Resources.of(executor);
  for (const name of ["cpus", "mem"] as const) {
    let limit = 0;
    let limited = false;
    let requests = 0;
    for (const task of tasks) {
      const given = task.limits[name]?.value;
      limited ||= given !== undefined;
      if (given === undefined) requests += Resources.of(task.resources)[name];
      else limit += given;
    }
    // Without CFS the other tasks are not limited, and so must not become it through their neighbours.
    if (!limited || (name === "cpus" && requests > 0 && !cfs)) continue;
    limits[name] = fromMilli(toMilli(limit) + toMilli(requests) + toMilli(own[name]));
  }
  return limits;
}
