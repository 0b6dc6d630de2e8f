import { join } from "node:path";
import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Containerizer } from "../../../sdk/contracts/containerizer.js";
import type { DiskOperation } from "../disk/operations.js";
import type { Executor } from "../executors/executor.js";
import type { AgentPaths } from "../paths.js";

/** Where a container is, or is to be: of what others, and for whom. */
export interface Home {
  readonly directory: string;
  /** The sandbox that is within no other. */
  readonly outermost: string;
  readonly user: string | undefined;
  readonly checkpoint: boolean;
  /** Undefined for a standalone container and those within it. */
  readonly executor: Executor | undefined;
  /** Undefined where none has it yet. */
  readonly containerizer: Containerizer | undefined;
}

export type Place = Pick<Home, "directory" | "outermost">;

/** Above a sandbox that is within another: below it anybody may have put anything in the way. */
export const boundaryOf = ({ directory, outermost }: Place): string | undefined =>
  directory === outermost ? undefined : outermost;

export const homeIn = (executor: Executor): Home => {
  const { directory, user, checkpoint, containerizer } = executor;
  return { directory, outermost: directory, user, checkpoint, executor, containerizer };
};

/** As Mesos's default executor tells its tasks. */
export function addressOf(executor: Executor | undefined): Record<string, string> {
  const address = executor?.containerStatus?.network_infos[0]?.ip_addresses[0]?.ip_address;
  return address === undefined ? {} : { MESOS_CONTAINER_IP: address };
}

/** Its sandbox, in that of what it is in. */
export const within = ({ value }: ContainerID): string => join("containers", value!);

/** Where a container is to be. @param above what it is in; undefined: nothing */
export function homeFor(
  { containerId, command, class: kind }: ContainerLaunch,
  above: Home | undefined,
  { switchUser, paths }: { readonly switchUser: boolean; readonly paths: AgentPaths },
): Home {
  const own = switchUser ? command?.user : undefined;
  const directory =
    above === undefined
      ? paths.standaloneContainer(containerId.value!)
      : join(above.directory, within(containerId));
  return {
    directory,
    outermost: above?.outermost ?? directory,
    user: own ?? (switchUser ? above?.user : undefined),
    checkpoint: kind !== "debug" && (above?.checkpoint ?? true),
    executor: above?.executor,
    containerizer: above?.containerizer,
  };
}

/** What makes its sandbox. */
export function makeSandbox(home: Home): DiskOperation {
  const { directory: path, user: owner } = home;
  const boundary = boundaryOf(home);
  return boundary === undefined
    ? { op: "mkdir", path, owner }
    : { op: "mkdir-inside", path, boundary, owner };
}
