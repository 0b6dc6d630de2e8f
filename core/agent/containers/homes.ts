import { join } from "node:path";
import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import type { Containerizer } from "../../../sdk/contracts/containerizer.js";
import type { DiskOperation } from "../disk/operations.js";
import type { Executor } from "../executors/executor.js";
import type { AgentPaths } from "../paths.js";

/** The place of a container, existing or not: its sandbox and whom it belongs to. */
export interface Home {
  readonly directory: string;
  /** The outermost sandbox around it. */
  readonly outermost: string;
  readonly user: string | undefined;
  readonly checkpoint: boolean;
  /** Undefined for a standalone container and those nested in it. */
  readonly executor: Executor | undefined;
  /** Undefined until one has accepted the container. */
  readonly containerizer: Containerizer | undefined;
}

export type Place = Pick<Home, "directory" | "outermost">;

/** The directory above a nested sandbox below which anybody may have put symbolic links. */
export const boundaryOf = ({ directory, outermost }: Place): string | undefined =>
  directory === outermost ? undefined : outermost;

export const homeIn = (executor: Executor): Home => {
  const { directory, user, checkpoint, containerizer } = executor;
  return { directory, outermost: directory, user, checkpoint, executor, containerizer };
};

/** The variables that Mesos's default executor gives its tasks. */
export function addressOf(executor: Executor | undefined): Record<string, string> {
  const address = executor?.containerStatus?.network_infos[0]?.ip_addresses[0]?.ip_address;
  return address === undefined ? {} : { MESOS_CONTAINER_IP: address };
}

/** The sandbox of a nested container, relative to its parent's. */
export const within = ({ value }: ContainerID): string => join("containers", value!);

/** The place of a new container. @param above its parent's place; undefined: none */
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

/** The operation that creates its sandbox. */
export function makeSandbox(home: Home): DiskOperation {
  const { directory: path, user: owner } = home;
  const boundary = boundaryOf(home);
  return boundary === undefined
    ? { op: "mkdir", path, owner }
    : { op: "mkdir-inside", path, boundary, owner };
}
