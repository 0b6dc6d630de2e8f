import type { Resource, Value_Scalar } from "../../../proto/gen/mesos/v1/mesos.js";
import { fromMilli, Resources, toMilli } from "../../../sdk/resources/index.js";

interface Limited {
  readonly resources: readonly Resource[];
  readonly limits: Readonly<Record<string, Value_Scalar>>;
}

export interface LimitRules {
  /** Whether CPU limits are enforced (`--cgroups_enable_cfs`). */
  readonly cfs: boolean;
}

/**
 * The limits of an executor's container: resource name -> amount, `Infinity` if a task is unlimited. A name is only present if a task has a
 * limit for it; the executor and tasks without a limit then count with their requests.
 *
 * @param executor the executor's own resources
 * @param tasks those that have not ended
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
    // Without CFS the other tasks have no limit, and must not get one because of their neighbours.
    if (!limited || (name === "cpus" && requests > 0 && !cfs)) continue;
    limits[name] = fromMilli(toMilli(limit) + toMilli(requests) + toMilli(own[name]));
  }
  return limits;
}
