import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { Resources } from "../../sdk/resources/index.js";

/** As an agent would ask, for a container of `sh -c script`. The sandbox is made below `sandboxes`. */
export async function containerRequest(
  { id, sandboxes }: { readonly id: string; readonly sandboxes: string },
  script: string,
  more: Partial<ContainerRequest> = {},
): Promise<ContainerRequest> {
  const directory = join(sandboxes, id);
  await mkdir(directory, { recursive: true });
  return {
    containerId: { value: id },
    frameworkId: "f",
    executorId: id,
    task: undefined,
    executor: { executor_id: { value: id }, resources: [] },
    command: { value: script, uris: [], arguments: [] },
    container: undefined,
    environment: {},
    user: undefined,
    resources: Resources.empty,
    limits: {},
    directory,
    checkpoint: true,
    ...more,
  };
}
