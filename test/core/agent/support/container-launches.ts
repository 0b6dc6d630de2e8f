import type { ContainerID } from "../../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../../sdk/contracts/agent-containers.js";
import { isTepuiError } from "../../../../sdk/errors/index.js";

/** A container that runs `true`, as the operator API asks for it. */
export const asked = (containerId: ContainerID, more: Partial<ContainerLaunch> = {}): ContainerLaunch => ({
  containerId,
  command: { value: "true", uris: [], arguments: [] },
  container: undefined,
  resources: [],
  limits: {},
  ...more,
});

/** `CODE: detail` of the error that says why it is not done; undefined: it is. */
export async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
  } catch (error) {
    if (isTepuiError(error)) return `${error.code}: ${error.detail}`;
    throw error;
  }
  return undefined;
}
