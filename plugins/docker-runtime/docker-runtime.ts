import { Image_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { containerName } from "../../sdk/ids/index.js";
import { launchCommand } from "./launch-command.js";

/** Runs a container of a Docker image as the image says: its variables, its directory, and, where the framework gives none, its command. */
export class DockerRuntime implements Isolator {
  readonly name = "docker/runtime";
  readonly nesting = true;

  constructor(private readonly logger: Logger) {}

  async prepare({
    containerId,
    command,
    container,
    image,
  }: ContainerRequest): Promise<Contribution | undefined> {
    if (image === undefined || container?.mesos?.image?.type !== Image_Type.DOCKER) return undefined;
    const { environment, workingDirectory, user } = image.config;
    if (user !== undefined) {
      // As in Mesos: whom a task runs as is its framework's decision, with the agent's consent.
      this.logger.warn(
        { container: containerName(containerId), user },
        "the user that the image names is not used",
      );
    }
    const launch = launchCommand(command, image.config);
    return {
      environment,
      ...(launch !== undefined && { command: launch }),
      ...(workingDirectory !== undefined && { workingDirectory }),
    };
  }
}
