import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { type Resources, validateGpus, validateUsedResources } from "../../../sdk/resources/index.js";

/**
 * What is wrong with resources that a task or an executor wants to use, in Mesos's words.
 *
 * @param messages valid ones
 * @param resources the same, read
 */
export function validateUse(messages: readonly Resource[], resources: Resources): string | undefined {
  if (!resources.entries.every(({ kind }) => kind.plain)) return validateUsedResources(messages);
  // Plain ones, which nearly all are, can break only one of the rules.
  const problem = validateGpus(resources);
  return problem === undefined ? undefined : `Invalid 'gpus' resource: ${problem}`;
}
