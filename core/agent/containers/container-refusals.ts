import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { containerName } from "../../../sdk/ids/index.js";
import { validateId } from "./launch-validation.js";

export const invalid = (detail: string): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_REQUEST_INVALID", { detail });

/** For an unknown container: the id may not even be valid. */
export function unknown(containerId: ContainerID): TepuiError {
  const problem = validateId(containerId);
  if (problem !== undefined) return invalid(problem);
  return new TepuiError("TEPUI_CONTAINER_UNKNOWN", {
    detail: `Container ${containerName(containerId)} cannot be found`,
  });
}
