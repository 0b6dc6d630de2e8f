import {
  type ContainerInfo,
  ContainerInfo_Type as ContainerType,
  Volume_Source_Type as SourceType,
  type Volume,
  type Volume_Source,
} from "../../proto/gen/mesos/v1/mesos.js";

/** What is wrong with a container's volumes or Docker settings. Source: src/common/validation.cpp. */
export function validateContainer(container: ContainerInfo): string | undefined {
  for (const volume of container.volumes) {
    const problem = validateVolume(volume);
    if (problem !== undefined) return `Invalid volume: ${problem}`;
  }
  if (container.type !== ContainerType.DOCKER) return undefined;
  if (container.docker === undefined) return "DockerInfo 'docker' is not set for DOCKER typed ContainerInfo";
  // The agent names containers itself; otherwise it could not find them again.
  return container.docker.parameters.some(({ key }) => key === "name")
    ? "Parameter in DockerInfo must not be 'name'"
    : undefined;
}

function validateVolume({ host_path, image, source }: Volume): string | undefined {
  if ([host_path, image, source].filter((one) => one !== undefined).length !== 1) {
    return "Only one of them should be set: 'host_path', 'image' and 'source'";
  }
  return source === undefined ? undefined : validateSource(source);
}

function validateSource(source: Volume_Source): string | undefined {
  switch (source.type) {
    case SourceType.DOCKER_VOLUME:
      return source.docker_volume === undefined
        ? "'source.docker_volume' is not set for DOCKER_VOLUME volume"
        : undefined;
    case SourceType.HOST_PATH:
      return source.host_path === undefined
        ? "'source.host_path' is not set for HOST_PATH volume"
        : undefined;
    case SourceType.SANDBOX_PATH:
      return source.sandbox_path === undefined
        ? "'source.sandbox_path' is not set for SANDBOX_PATH volume"
        : undefined;
    case SourceType.SECRET:
      return source.secret === undefined ? "'source.secret' is not set for SECRET volume" : undefined;
    case SourceType.CSI_VOLUME:
      if (source.csi_volume === undefined) return "'source.csi_volume' is not set for CSI volume";
      return source.csi_volume.static_provisioning === undefined
        ? "'source.csi_volume.static_provisioning' is not set for CSI volume"
        : undefined;
    default:
      return "'source.type' is unknown";
  }
}
