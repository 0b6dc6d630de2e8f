import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { type CommandInfo, ContainerInfo_Type, type TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";

/** Mesos's own executors that can be run in place of what the agent does by itself. */
export interface ExecutorPrograms {
  /** Absolute. */
  readonly directory: string;
  readonly command: boolean;
  readonly default: boolean;
}

const COMMAND_EXECUTOR = "mesos-executor";
const DEFAULT_EXECUTOR = "mesos-default-executor";

/** Undefined where there are none. */
export function findExecutorPrograms(directory: string): ExecutorPrograms | undefined {
  const has = (name: string): boolean => existsSync(join(directory, name));
  const found = { directory, command: has(COMMAND_EXECUTOR), default: has(DEFAULT_EXECUTOR) };
  return found.command || found.default ? found : undefined;
}

/**
 * Runs a task by Mesos's command executor; undefined: the agent runs it. That program gets neither an image nor a terminal nor capabilities
 * from an agent in any way but by flags that only Mesos's own containerizers make, and has no part in containers of Docker.
 */
export function commandProgram(
  programs: ExecutorPrograms | undefined,
  { container }: TaskInfo,
): CommandInfo | undefined {
  if (programs?.command !== true) return undefined;
  const plain =
    container === undefined ||
    (container.type === ContainerInfo_Type.MESOS &&
      container.mesos?.image === undefined &&
      container.tty_info === undefined &&
      container.linux_info === undefined);
  return plain ? program(programs.directory, COMMAND_EXECUTOR) : undefined;
}

/** Runs the tasks of a pod by Mesos's default executor; undefined: the agent runs them. */
export function defaultProgram(programs: ExecutorPrograms | undefined): CommandInfo | undefined {
  return programs?.default === true ? program(programs.directory, DEFAULT_EXECUTOR) : undefined;
}

const program = (directory: string, name: string): CommandInfo => ({
  shell: false,
  value: join(directory, name),
  arguments: [name, `--launcher_dir=${directory}`],
  uris: [],
});

/** Whether an executor that the agent could do without is such a program. Those that it does without have no path. */
export const isProgram = (command: CommandInfo | undefined): boolean =>
  command?.shell === false && isAbsolute(command.value ?? "");
