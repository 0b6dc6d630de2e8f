import {
  type ContainerID,
  type ContainerInfo,
  ContainerInfo_Type,
  type Resource,
  type TaskInfo,
  type Volume,
  Volume_Source_SandboxPath_Type,
  Volume_Source_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";

/**
 * The container of a task within its pod. Persistent volumes are mounted in the pod's own container, where its tasks find them.
 *
 * @param ip address of the pod
 */
export function taskContainer(
  task: TaskInfo,
  containerId: ContainerID,
  ip: string | undefined,
): ContainerLaunch {
  const volumes = task.resources.flatMap(sharedVolume);
  const role = task.resources[0]?.allocation_info?.role;
  const variables = [
    ...(task.command?.environment?.variables ?? []),
    ...(ip === undefined ? [] : [{ name: "MESOS_CONTAINER_IP", value: ip }]),
    ...(role === undefined ? [] : [{ name: "MESOS_ALLOCATION_ROLE", value: role }]),
  ];
  const limits = Object.entries(task.limits).map(([name, { value }]) => [name, value ?? 0]);
  return {
    containerId,
    command: { ...(task.command ?? { uris: [], arguments: [] }), environment: { variables } },
    container: volumes.length === 0 ? task.container : withVolumes(task.container, volumes),
    resources: task.resources,
    limits: Object.fromEntries(limits),
  };
}

function sharedVolume({ disk }: Resource): Volume[] {
  const volume = disk?.volume;
  if (volume?.container_path === undefined) return [];
  const sandbox_path = { type: Volume_Source_SandboxPath_Type.PARENT, path: volume.container_path };
  return [
    {
      mode: volume.mode,
      container_path: volume.container_path,
      source: { type: Volume_Source_Type.SANDBOX_PATH, sandbox_path },
    },
  ];
}

function withVolumes(container: ContainerInfo | undefined, volumes: readonly Volume[]): ContainerInfo {
  const given = container ?? { type: ContainerInfo_Type.MESOS, volumes: [], network_infos: [] };
  return { ...given, volumes: [...given.volumes, ...volumes] };
}
