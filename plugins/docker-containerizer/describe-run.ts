import {
  type ContainerInfo,
  Environment_Variable_Type,
  ContainerInfo_DockerInfo_Network as Network,
  RLimitInfo_RLimit_Type as RLimit,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Resources } from "../../sdk/resources/index.js";
import { applyDefaultDns, type DefaultDns } from "./default-dns.js";
import { applyParameters } from "./parameters.js";
import { amountsOf, resourceSettings } from "./resource-settings.js";
import { newDraft, type RunDraft } from "./run-draft.js";
import { applyPersistentVolumes, applyVolumes } from "./volumes.js";

export interface RunSettings {
  /** The agent's. */
  readonly workDir: string;
  /** Where containers find their sandbox. */
  readonly sandboxDirectory: string;
  /** CPUs are hard limits. */
  readonly cfs: boolean;
  readonly dns: DefaultDns | undefined;
}

/**
 * What Mesos would tell `docker run`. Rejects with an Error, in Mesos's words where it has them, for what cannot be run.
 *
 * @param name of the container, as the engine is to know it
 */
export async function describeRun(
  request: ContainerRequest,
  name: string,
  settings: RunSettings,
): Promise<RunDraft> {
  const { container } = request;
  const docker = container?.docker;
  if (container === undefined || docker === undefined)
    throw new Error("No docker info found in container info");
  if (docker.image === undefined || docker.image === "") throw new Error("No image found in docker info");
  refuseForeign(container, request);
  const amounts = amountsOf(request);
  const draft = newDraft(docker.image);
  if (docker.privileged === true) draft.host.Privileged = true;
  Object.assign(draft.host, resourceSettings(amounts, settings));
  applyEnvironment(draft, request, { name, sandbox: settings.sandboxDirectory });
  const places = {
    sandbox: request.directory,
    mapped: settings.sandboxDirectory,
    workDir: settings.workDir,
  };
  applyVolumes(draft, container, places);
  await applyPersistentVolumes(draft, request.resources, places);
  applyNetwork(draft, container, amounts.resources);
  applyCommand(draft, request);
  applyRlimits(draft, container);
  applyParameters(draft, docker.parameters);
  if (settings.dns !== undefined) applyDefaultDns(draft, settings.dns, docker.network ?? Network.HOST);
  return draft;
}

/** Asked for, and not to be had of the engine: running without would be less than was asked for. */
function refuseForeign(container: ContainerInfo, request: ContainerRequest): void {
  if (container.linux_info !== undefined) {
    throw new Error(
      "Linux settings (linux_info) are for containers of type MESOS; give Docker parameters instead",
    );
  }
  if (container.tty_info !== undefined) {
    throw new Error(
      "Terminals (tty_info) are for containers of type MESOS; give the Docker parameter 'tty' instead",
    );
  }
  if (amountsOf(request).resources.gpus > 0) {
    throw new Error(
      "GPUs of the offer are for containers of type MESOS; give the Docker parameter 'gpus' instead",
    );
  }
}

/** A task sees its command's variables; an executor also what the agent tells executors. */
function applyEnvironment(
  { env }: RunDraft,
  request: ContainerRequest,
  { name, sandbox }: { name: string; sandbox: string },
): void {
  if (request.task === undefined) {
    for (const [key, value] of Object.entries(request.environment)) env.set(key, value);
  } else {
    for (const { name: key, value, type } of request.command.environment?.variables ?? []) {
      if (key === undefined || value === undefined || type === Environment_Variable_Type.SECRET) continue;
      env.set(key, value);
    }
  }
  env.set("MESOS_SANDBOX", sandbox);
  env.set("MESOS_CONTAINER_NAME", name);
  const [first] = request.task?.resources ?? request.executor.resources;
  const role = first?.allocation_info?.role;
  if (role !== undefined) env.set("MESOS_ALLOCATION_ROLE", role);
}

function applyNetwork(draft: RunDraft, container: ContainerInfo, resources: Resources): void {
  const mode = container.docker?.network ?? Network.HOST;
  draft.host.NetworkMode = networkName(container, mode);
  if (container.hostname !== undefined) {
    if (mode === Network.HOST) throw new Error("Unable to set hostname with host network mode");
    draft.config.Hostname = container.hostname;
  }
  const mappings = container.docker?.port_mappings ?? [];
  if (mappings.length === 0) return;
  if (mode === Network.HOST || mode === Network.NONE) {
    throw new Error("Port mappings are only supported for bridge and user-defined networks");
  }
  const ranges = resources.ports;
  if (ranges.length === 0) throw new Error("Port mappings require port resources");
  for (const { host_port: outside = 0, container_port: inside = 0, protocol } of mappings) {
    if (!ranges.some(({ begin = 0, end = 0 }) => begin <= outside && outside <= end)) {
      throw new Error(`Port [${outside}] not included in resources`);
    }
    const port = `${inside}/${protocol?.toLowerCase() ?? "tcp"}`;
    draft.config.ExposedPorts[port] = {};
    draft.host.PortBindings[port] = [...(draft.host.PortBindings[port] ?? []), { HostPort: String(outside) }];
  }
}

function networkName(container: ContainerInfo, mode: Network): string {
  switch (mode) {
    case Network.HOST:
      return "host";
    case Network.BRIDGE:
      return "bridge";
    case Network.NONE:
      return "none";
    case Network.USER: {
      const [info, ...more] = container.network_infos;
      if (info === undefined) throw new Error("No network info found in container info");
      if (more.length > 0) throw new Error("Only a single network can be defined in Docker run");
      if (info.name === undefined) throw new Error("No network name found in network info");
      return info.name;
    }
    default:
      throw new Error(`Unsupported Network mode: ${mode}`);
  }
}

/** With a shell the image's entry point makes way for it; without, the command is what the entry point is called with. */
function applyCommand({ config }: RunDraft, { command }: ContainerRequest): void {
  const { shell = true, value, arguments: argv } = command;
  if (shell) {
    if (value === undefined) throw new Error("Shell specified but no command value provided");
    config.Entrypoint = ["/bin/sh"];
    config.Cmd = ["-c", value];
    return;
  }
  const words = value === undefined ? argv : [value, ...argv];
  // Absent, the image's own command is run.
  if (words.length > 0) config.Cmd = [...words];
}

function applyRlimits({ host }: RunDraft, { rlimit_info: info }: ContainerInfo): void {
  for (const { type, soft, hard } of info?.rlimits ?? []) {
    if (type === undefined || (soft === undefined) !== (hard === undefined)) {
      throw new Error(
        "Limits of processes (rlimit_info) must have a type, and both a soft and a hard limit or none",
      );
    }
    host.Ulimits = [
      ...(host.Ulimits ?? []),
      {
        Name: RLimit[type].replace(/^RLMT_/, "").toLowerCase(),
        Soft: soft === undefined ? -1 : Number(soft),
        Hard: hard === undefined ? -1 : Number(hard),
      },
    ];
  }
}
