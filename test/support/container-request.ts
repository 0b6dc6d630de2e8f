import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { Resources } from "../../sdk/resources/index.js";

/** As an agent would ask, for the container `id` of an executor of that name, which runs `true`. Nothing is made on disk. */
export const requestFor = (id: string, more: Partial<ContainerRequest> = {}): ContainerRequest => ({
  containerId: { value: id },
  frameworkId: "f",
  executorId: id,
  task: undefined,
  executor: { executor_id: { value: id }, resources: [] },
  command: { value: "true", uris: [], arguments: [] },
  container: undefined,
  environment: {},
  user: undefined,
  resources: Resources.empty,
  limits: {},
  directory: "/nowhere",
  checkpoint: true,
  ...more,
});

/** For a container of `sh -c script`. The sandbox is made below `sandboxes`. */
export async function containerRequest(
  { id, sandboxes }: { readonly id: string; readonly sandboxes: string },
  script: string,
  more: Partial<ContainerRequest> = {},
): Promise<ContainerRequest> {
  const directory = join(sandboxes, id);
  await mkdir(directory, { recursive: true });
  return requestFor(id, { command: { value: script, uris: [], arguments: [] }, directory, ...more });
}
