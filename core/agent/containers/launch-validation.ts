import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import { containerName, MAX_CONTAINER_ID_BYTES, validateContainerId } from "../../../sdk/ids/index.js";
import {
  convertResources,
  Resources,
  validateGpus,
  validateResources,
} from "../../../sdk/resources/index.js";
import { validateCommand } from "../../validation/command.js";
import { validateContainer } from "../../validation/container.js";

/** What is wrong with a container id; undefined: nothing. */
export function validateId(containerId: ContainerID): string | undefined {
  const problem = validateContainerId(containerId);
  if (problem !== undefined) return `'container_id' is invalid: ${problem}`;
  // The whole name becomes one file name.
  const name = containerName(containerId);
  return Buffer.byteLength(name) > MAX_CONTAINER_ID_BYTES
    ? `'container_id' is invalid: 'ContainerID' '${name}' exceeds the maximum length (${MAX_CONTAINER_ID_BYTES})`
    : undefined;
}

/** The last real-time signal. */
const MAX_SIGNAL = 64;

/** What is wrong with a signal number; undefined: nothing. */
export function validateSignal(signal: number): string | undefined {
  return Number.isInteger(signal) && signal >= 0 && signal <= MAX_SIGNAL
    ? undefined
    : `'signal' is invalid: there is no signal ${signal}`;
}

/**
 * What is wrong with a requested container, in Mesos's words except for the name of the call, which each caller adds; undefined: nothing.
 * Source: src/slave/validation.cpp.
 */
export function validateLaunch(launch: ContainerLaunch): string | undefined {
  const id = validateId(launch.containerId);
  if (id !== undefined) return id;
  if (launch.class === "debug" && launch.containerId.parent === undefined)
    return "Expecting 'container_id.parent' to be present";
  const resources = validateOwnResources(launch);
  if (resources !== undefined) return resources;
  const command = launch.command && validateCommand(launch.command);
  if (command !== undefined) return `'command' is invalid: ${command}`;
  const container = launch.container && validateContainer(launch.container);
  if (container !== undefined) return `'container' is invalid: ${container}`;
  return validateNesting(launch);
}

function validateOwnResources({ containerId, resources, limits }: ContainerLaunch): string | undefined {
  const invalid = validateResources(resources);
  if (invalid !== undefined) return `Invalid resources: ${invalid}`;
  const gpus = validateGpus(Resources.of(resources));
  if (gpus !== undefined) return `Invalid GPU resources: ${gpus}`;
  for (const [name, limit] of Object.entries(limits))
    if (!(limit > 0)) return `Invalid resource limits: '${name}' must be greater than zero`;
  if (containerId.parent !== undefined) return undefined;
  for (const { reservations, disk, revocable } of convertResources(resources, "post-refinement")) {
    if (reservations.length > 0) return "'resources' must be unreserved";
    if (disk?.persistence !== undefined) return "'resources' may not use persistent volumes";
    if (revocable !== undefined) return "'resources' must be non-revocable";
  }
  return undefined;
}

function validateNesting(launch: ContainerLaunch): string | undefined {
  const { containerId, container, resources, limits } = launch;
  const shares = container?.linux_info?.share_cgroups;
  if (launch.class === "debug" && shares === false) {
    return "'container.linux_info' is invalid: 'share_cgroups' cannot be set to 'false' for nested container sessions";
  }
  if (containerId.parent === undefined)
    return shares === true ? "containers without a parent cannot set 'share_cgroups' to 'true'" : undefined;
  if (containerId.parent.parent === undefined) return undefined;
  const deep = "containers nested at the second level or greater cannot";
  if (resources.length > 0) return `${deep} specify resources`;
  if (Object.keys(limits).length > 0) return `${deep} specify resource limits`;
  return shares === false ? `${deep} set 'share_cgroups' to 'false'` : undefined;
}
