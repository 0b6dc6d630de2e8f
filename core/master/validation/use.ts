import type { CommandInfo, ContainerInfo, Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  type Resources,
  validateGpus,
  validateRevocableUse,
  validateSingleAllocationRole,
  validateUniquePersistenceIds,
  validateUsedResources,
} from "../../../sdk/resources/index.js";
import { validateCommand } from "../../validation/command.js";
import { validateContainer } from "../../validation/container.js";

/* Rules that tasks and executors have in common. */

type User = "Task" | "Executor";

/**
 * What is wrong with resources that a task or an executor wants to use, in Mesos's words.
 *
 * @param messages valid resources
 * @param resources the same, read
 */
export function validateUse(
  user: User,
  messages: readonly Resource[],
  resources: Resources,
): string | undefined {
  const rules = validateRules(messages, resources);
  if (rules !== undefined) return `${user} uses invalid resources: ${rules}`;
  const ids = validateUniquePersistenceIds(resources);
  if (ids !== undefined) return `${user} uses duplicate persistence ID: ${ids}`;
  const role = validateSingleAllocationRole(resources);
  if (role !== undefined) return `Invalid ${user.toLowerCase()} resources: ${role}`;
  const mix = validateRevocableUse(resources);
  return mix === undefined ? undefined : `${user} mixes revocable and non-revocable resources: ${mix}`;
}

function validateRules(messages: readonly Resource[], resources: Resources): string | undefined {
  if (!resources.entries.every(({ kind }) => kind.plain)) return validateUsedResources(messages);
  // Plain resources, which nearly all are, can only break one of the rules.
  const problem = validateGpus(resources);
  return problem === undefined ? undefined : `Invalid 'gpus' resource: ${problem}`;
}

interface Run {
  readonly command?: CommandInfo | undefined;
  readonly container?: ContainerInfo | undefined;
}

/** What is wrong with the command or the container of a task or an executor. */
export function validateRun(user: User, { command, container }: Run): string | undefined {
  const wrongCommand = command === undefined ? undefined : validateCommand(command);
  if (wrongCommand !== undefined) return `${user}'s \`CommandInfo\` is invalid: ${wrongCommand}`;
  const wrongContainer = container === undefined ? undefined : validateContainer(container);
  return wrongContainer === undefined
    ? undefined
    : `${user}'s \`ContainerInfo\` is invalid: ${wrongContainer}`;
}
