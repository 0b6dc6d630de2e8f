import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { commandEnvironment } from "../executors/executor-environment.js";
import { addressOf, type Home } from "./homes.js";

/** The request to the containerizer. */
export function requestOf(entry: Home & { readonly launch: ContainerLaunch }): ContainerRequest {
  const { launch, executor, directory, user, checkpoint } = entry;
  const command = launch.command ?? { uris: [], arguments: [] };
  return {
    containerId: launch.containerId,
    class: launch.class,
    interactive: launch.interactive,
    frameworkId: executor?.ids.frameworkId ?? "",
    executorId: executor?.id ?? "",
    task: undefined,
    executor: executor?.info ?? { executor_id: { value: "" }, resources: [] },
    command,
    container: launch.container,
    environment: { ...addressOf(executor), ...commandEnvironment(command) },
    // A debug container runs as its parent's user, unless its command names another.
    user: launch.class === "debug" && command.user === undefined ? undefined : user,
    resources: Resources.of(launch.resources),
    limits: launch.limits,
    directory,
    checkpoint,
  };
}
