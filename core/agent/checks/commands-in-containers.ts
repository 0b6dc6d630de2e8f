import type { CommandInfo, ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentContainers } from "../../../sdk/contracts/agent-containers.js";
import type { CheckTarget } from "../../../sdk/contracts/checker.js";
import type { ContainerExit } from "../../../sdk/contracts/containerizer.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import type { Executor } from "../executors/executor.js";

export interface CommandsInContainersOptions {
  readonly containers: Pick<AgentContainers, "launch" | "wait" | "destroy" | "remove">;
  readonly random: Pick<Random, "uuid">;
  readonly logger: Logger;
}

const SIGKILL = 9;

/** Runs command checks in the container of the task that they check. */
export class CommandsInContainers {
  constructor(private readonly options: CommandsInContainersOptions) {}

  /** @param containerId the task's container: the executor's own, or one nested in it, which shares its network */
  target(executor: Executor, containerId: ContainerID): CheckTarget {
    const { containerizer } = executor;
    return {
      containerId,
      pid: executor.containerStatus?.executor_pid,
      run: (command, signal) =>
        containerizer?.exec?.(containerId, command, signal) ?? this.within(containerId, command, signal),
    };
  }

  private async within(
    parent: ContainerID,
    command: CommandInfo,
    signal: AbortSignal,
  ): Promise<ContainerExit | undefined> {
    const { containers, random } = this.options;
    // Mesos's naming scheme.
    const containerId = { value: `check-${random.uuid()}`, parent };
    try {
      await containers.launch({
        containerId,
        command,
        container: undefined,
        resources: [],
        limits: {},
        class: "debug",
      });
    } catch (error) {
      // Other errors are not the task's fault: it is ending, or the agent is.
      if (isTepuiError(error) && error.code === "TEPUI_CONTAINER_LAUNCH_FAILED") throw error;
      return undefined;
    }
    const end = (): void => this.quietly(containers.destroy(containerId));
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      const { exit } = await containers.wait(containerId);
      // Nobody sends it SIGKILL except when the task itself ends.
      return exit?.signal === SIGKILL ? undefined : exit;
    } catch (error) {
      if (isTepuiError(error) && error.code === "TEPUI_CONTAINER_UNKNOWN") return undefined;
      throw error;
    } finally {
      signal.removeEventListener("abort", end);
      this.quietly(containers.remove(containerId));
    }
  }

  private quietly(ending: Promise<void>): void {
    ending.catch((error: unknown) => {
      // Whatever is left is destroyed together with the task.
      this.options.logger.debug({ err: error }, "what is left of a check cannot be removed yet");
    });
  }
}
