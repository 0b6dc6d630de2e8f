import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import {
  type CapabilityInfo,
  CommandInfo,
  ContainerInfo,
  ContainerInfo_DockerInfo_Network,
  ContainerInfo_Type,
  type ExecutorInfo,
  ExecutorInfo_Type,
  Image_Type,
  type Resource,
  type TaskGroupInfo,
  TaskInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { MessageCodec } from "../../proto/json/codec.js";
import { parseJson } from "../../proto/json/text.js";
import { messageOf } from "../../sdk/errors/index.js";
import { parseResources, Resources } from "../../sdk/resources/index.js";
import { type ExecuteFlags, textOrFile } from "./execute-flags.js";

/** What to launch: one task, or a group under a default executor. */
export interface Workload {
  readonly tasks: readonly TaskInfo[];
  readonly group: { readonly executor: ExecutorInfo; readonly taskGroup: TaskGroupInfo } | undefined;
  /** The sum for all tasks and the executor. */
  readonly required: Resources;
}

/** Resources of the executor that Mesos's tool adds to a group. */
const GROUP_EXECUTOR_RESOURCES = "cpus:0.1;mem:32;disk:32";

/** Builds the workload from the flags. Throws an Error with a line for the user. */
export function workloadOf(flags: ExecuteFlags): Workload {
  const task = flags.text("task");
  const taskGroup = flags.text("task_group");
  if (taskGroup !== undefined) return groupWorkload(flags, taskGroup);
  const only = task === undefined ? taskFromFlags(flags) : taskFromJson(flags, task);
  return { tasks: [only], group: undefined, required: resourcesOf("task", only.resources) };
}

function taskFromJson(_flags: ExecuteFlags, value: string): TaskInfo {
  const json = jsonObject("task", value);
  return fromJson(codecs.TaskInfo, { flag: "task", json: { agent_id: { value: "" }, ...json } });
}

function groupWorkload(flags: ExecuteFlags, value: string): Workload {
  const json = jsonObject("task_group", value);
  const tasks = Array.isArray(json.tasks)
    ? json.tasks.map((task: unknown) => (isObject(task) ? { agent_id: { value: "" }, ...task } : task))
    : json.tasks;
  const taskGroup = fromJson(codecs.TaskGroupInfo, { flag: "task_group", json: { ...json, tasks } });
  if (taskGroup.tasks.length === 0) throw new Error("--task_group: the group has no tasks");
  const executorResources = parsed("task_group", GROUP_EXECUTOR_RESOURCES);
  const executor: ExecutorInfo = {
    type: ExecutorInfo_Type.DEFAULT,
    executor_id: { value: "default-executor" },
    resources: executorResources.toMessages(),
  };
  const networks = networksOf(flags);
  if (networks.length > 0) {
    executor.container = ContainerInfo.fromPartial({
      type: ContainerInfo_Type.MESOS,
      network_infos: networks.map((name) => ({ name })),
    });
  }
  const required = Resources.sum(taskGroup.tasks.map((task) => resourcesOf("task_group", task.resources)));
  return {
    tasks: taskGroup.tasks,
    group: { executor, taskGroup },
    required: required.add(executorResources),
  };
}

function taskFromFlags(flags: ExecuteFlags): TaskInfo {
  const name = flags.text("name")!;
  const task = TaskInfo.fromPartial({
    name,
    task_id: { value: name },
    agent_id: { value: "" },
    resources: parsed("resources", flags.text("resources")!).toMessages(),
    command: commandFromFlags(flags),
  });
  const container = containerFromFlags(flags);
  if (container !== undefined) task.container = container;
  return task;
}

function commandFromFlags(flags: ExecuteFlags): CommandInfo {
  const command = CommandInfo.fromPartial({ shell: flags.on("shell") });
  const [program] = flags.rest;
  if (program !== undefined) {
    command.shell = false;
    command.value = program;
    command.arguments = [...flags.rest];
  } else if (flags.given("command")) {
    command.value = flags.text("command");
    if (!flags.on("shell")) command.arguments = [command.value!];
  }
  const env = flags.text("env");
  if (env !== undefined) {
    const variables = Object.entries(jsonObject("env", env)).map(([key, value]) => {
      if (typeof value !== "string") throw new Error(`--env: the value of '${key}' is no string`);
      return { name: key, value };
    });
    command.environment = { variables };
  }
  return command;
}

/** By the rules of Mesos's tool: there is a Mesos container only if one of its features is requested; a Docker container needs an image. */
function containerFromFlags(flags: ExecuteFlags): ContainerInfo | undefined {
  const containerizer = flags.text("containerizer");
  const image = flags.text("docker_image");
  const networks = networksOf(flags);
  const container = ContainerInfo.fromPartial({
    network_infos: networks.map((name) => ({ name })),
    volumes: volumesOf(flags),
  });
  if (containerizer === "docker") {
    if (image === undefined) throw new Error("'Docker' containerizer requires docker image name");
    if (networks.length > 1) throw new Error("'Docker' containerizer can only support a single network");
    if (flags.on("tty")) throw new Error("'Docker' containerizer does not allow attaching a TTY");
    container.type = ContainerInfo_Type.DOCKER;
    container.docker = { image, port_mappings: [], parameters: [] };
    if (networks.length > 0) container.docker.network = ContainerInfo_DockerInfo_Network.USER;
    return container;
  }
  if (containerizer !== "mesos") throw new Error(`Unsupported containerizer: ${containerizer}`);

  const wanted = [
    "docker_image",
    "appc_image",
    "effective_capabilities",
    "bounding_capabilities",
    "rlimits",
  ] as const;
  const { volumes } = container;
  if (!flags.on("tty") && networks.length + volumes.length === 0 && !wanted.some((name) => flags.given(name)))
    return undefined;
  container.type = ContainerInfo_Type.MESOS;
  if (image !== undefined) container.mesos = { image: { type: Image_Type.DOCKER, docker: { name: image } } };
  if (flags.given("appc_image")) container.mesos = { image: appcImage(flags.text("appc_image")!) };
  const effective = flags.text("effective_capabilities");
  const bounding = flags.text("bounding_capabilities");
  if (effective !== undefined || bounding !== undefined) {
    container.linux_info = {
      ...(effective !== undefined && {
        effective_capabilities: capabilities("effective_capabilities", effective),
      }),
      ...(bounding !== undefined && {
        bounding_capabilities: capabilities("bounding_capabilities", bounding),
      }),
    };
  }
  const rlimits = flags.text("rlimits");
  if (rlimits !== undefined)
    container.rlimit_info = fromJson(codecs.RLimitInfo, {
      flag: "rlimits",
      json: jsonObject("rlimits", rlimits),
    });
  if (flags.on("tty")) container.tty_info = {};
  return container;
}

function appcImage(name: string): NonNullable<NonNullable<ContainerInfo["mesos"]>["image"]> {
  const labels = [
    { key: "os", value: "linux" },
    { key: "arch", value: "amd64" },
  ];
  return { type: Image_Type.APPC, appc: { name, labels: { labels } } };
}

function capabilities(
  flag: "effective_capabilities" | "bounding_capabilities",
  value: string,
): CapabilityInfo {
  return fromJson(codecs.CapabilityInfo, { flag, json: jsonObject(flag, value) });
}

function volumesOf(flags: ExecuteFlags): ContainerInfo["volumes"] {
  const value = flags.text("volumes");
  if (value === undefined) return [];
  const json = parsedJson("volumes", textOrFile("volumes", value));
  if (!Array.isArray(json)) throw new Error("--volumes: expected a JSON list");
  return json.map((volume: unknown) => fromJson(codecs.Volume, { flag: "volumes", json: volume }));
}

function networksOf(flags: ExecuteFlags): string[] {
  return (flags.text("networks") ?? "").split(",").filter((name) => name !== "");
}

function resourcesOf(flag: string, messages: readonly Resource[]): Resources {
  const resources = Resources.fromMessages(messages);
  if (!resources.ok) throw new Error(`--${flag}: ${resources.error}`);
  return resources.value;
}

function parsed(flag: string, text: string): Resources {
  const resources = parseResources(text);
  if (!resources.ok) throw new Error(`--${flag}: Failed to parse resources '${text}': ${resources.error}`);
  return resources.value;
}

function jsonObject(
  flag: "task" | "task_group" | "env" | "rlimits" | "effective_capabilities" | "bounding_capabilities",
  value: string,
): Record<string, unknown> {
  const json = parsedJson(flag, textOrFile(flag, value));
  if (!isObject(json)) throw new Error(`--${flag}: expected a JSON object`);
  return json;
}

function parsedJson(flag: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new Error(`--${flag}: invalid JSON: ${messageOf(error)}`);
  }
}

function fromJson<T>(
  { name, json: codec }: MessageCodec<T>,
  { flag, json }: { flag: string; json: unknown },
): T {
  try {
    return codec.fromValue(json);
  } catch (error) {
    throw new Error(`--${flag}: no valid ${name.slice(name.lastIndexOf(".") + 1)}: ${messageOf(error)}`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
