import type { ContainerID } from "../../proto/gen/mesos/v1/mesos.js";
import { MAX_CONTAINER_ID_BYTES, validateId } from "./validate.js";

/** Nobody nests this deep on purpose; a bound keeps a hostile message from using up the stack. */
const MAX_NESTING = 32;

/**
 * Says what is wrong with a container id or one of its parents, in Mesos's words, or undefined for a good one.
 *
 * Periods are not allowed because the text of a nested id joins its parts with them.
 */
export function validateContainerId(containerId: ContainerID): string | undefined {
  let prefix = "";
  let current: ContainerID | undefined = containerId;
  for (let depth = 0; current !== undefined; depth++) {
    const problem =
      depth > MAX_NESTING ? `containers are nested more than ${MAX_NESTING} deep` : validatePart(current);
    if (problem !== undefined) return prefix + problem;
    prefix += "'ContainerID.parent' is invalid: ";
    current = current.parent;
  }
  return undefined;
}

function validatePart(containerId: ContainerID): string | undefined {
  const id = containerId.value ?? "";
  const problem = validateId(id);
  if (problem !== undefined) return problem;
  if (Buffer.byteLength(id) > MAX_CONTAINER_ID_BYTES) {
    return `'ContainerID.value' '${id}' exceeds the maximum length (${MAX_CONTAINER_ID_BYTES})`;
  }
  if (id.includes(".") || id.includes(" ")) return `'ContainerID.value' '${id}' contains invalid characters`;
  return undefined;
}

/** One text for a container and those it is within, outermost first: `parent.child`. Fit for a file name; unique on an agent. */
export function containerName({ value, parent }: ContainerID): string {
  return parent === undefined ? value! : `${containerName(parent)}.${value!}`;
}

/** The outermost of the containers that this one is within; itself, where it is within none. */
export function rootContainer(containerId: ContainerID): ContainerID {
  return containerId.parent === undefined ? containerId : rootContainer(containerId.parent);
}

/**
 * The control group of a container, below the root group of all: those within it are below its own, as in Mesos, so that it holds all
 * that is in it.
 *
 * @param name as `containerName` gives it
 */
export const containerCgroup = (name: string): string => name.replaceAll(".", "/mesos/");

/** @param name as `containerName` gives it */
export const isWithinAnother = (name: string): boolean => name.includes(".");
