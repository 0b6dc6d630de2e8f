import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { type CommandInfo, ContainerInfo_Type, type TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";

/** Mesos's own executors, which can be run in place of the built-in ones. */
export interface ExecutorPrograms {
  /** An absolute path. */
  readonly directory: string;
  readonly command: boolean;
  readonly default: boolean;
}

const COMMAND_EXECUTOR = "mesos-executor";
const DEFAULT_EXECUTOR = "mesos-default-executor";

/** Undefined if there are none. */
export function findExecutorPrograms(directory: string): ExecutorPrograms | undefined {
  const has = (name: string): boolean => existsSync(join(directory, name));
  const found = { directory, command: has(COMMAND_EXECUTOR), default: has(DEFAULT_EXECUTOR) };
  return found.command || found.default ? found : undefined;
}

/**
 * How to run a task with Mesos's command executor; undefined: the agent runs it itself. Only Mesos's own containerizer can make the flags
 * with which that program receives an image, a terminal or capabilities, and it plays no part in Docker containers.
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

/** How to run the tasks of a pod with Mesos's default executor; undefined: the agent runs them itself. */
export function defaultProgram(programs: ExecutorPrograms | undefined): CommandInfo | undefined {
  return programs?.default === true ? program(programs.directory, DEFAULT_EXECUTOR) : undefined;
}

const program = (directory: string, name: string): CommandInfo => ({
  shell: false,
  value: join(directory, name),
  arguments: [name, `--launcher_dir=${directory}`],
  uris: [],
});

/** Whether this executor is such a program. Executors that the agent replaces have no path. */
export const isProgram = (command: CommandInfo | undefined): boolean =>
  command?.shell === false && isAbsolute(command.value ?? "");
