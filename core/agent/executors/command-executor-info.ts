import {
  type CommandInfo,
  type ExecutorInfo,
  type FrameworkInfo,
  type Resource,
  type TaskInfo,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { COMMAND_EXECUTOR_CPUS, COMMAND_EXECUTOR_MEM_MB, DEFAULT_KILL_GRACE_PERIOD } from "../constants.js";

/** Mesos allows a second for reaping the process and another one on top of the task's own grace period. */
const SHUTDOWN_MARGIN_NS = 2_000_000_000n;

/**
 * The executor of a command task as Mesos describes it.
 *
 * @param program runs the task; undefined: there is no executor process
 */
export function commandExecutorInfo(
  framework: FrameworkInfo,
  task: TaskInfo,
  program?: CommandInfo,
): ExecutorInfo {
  const grace = task.kill_policy?.grace_period?.nanoseconds;
  const role = task.resources[0]?.allocation_info?.role;
  return {
    executor_id: { value: task.task_id!.value! },
    framework_id: framework.id,
    name: `Command Executor (Task: ${task.task_id!.value}) ${commandText(task.command)}`,
    source: task.task_id!.value!,
    command: commandOf(task, program),
    container: task.container,
    resources: [
      overhead({ name: "cpus", value: COMMAND_EXECUTOR_CPUS, role }),
      overhead({ name: "mem", value: COMMAND_EXECUTOR_MEM_MB, role }),
    ],
    labels: task.labels,
    discovery: task.discovery,
    ...(grace !== undefined && { shutdown_grace_period: { nanoseconds: grace + SHUTDOWN_MARGIN_NS } }),
  };
}

function commandOf({ command }: TaskInfo, program: CommandInfo | undefined): CommandInfo {
  const { uris = [], environment, user } = command ?? {};
  return {
    uris,
    environment,
    shell: false,
    value: "mesos-executor",
    arguments: ["mesos-executor"],
    ...(program !== undefined && { value: program.value, arguments: program.arguments }),
    ...(user !== undefined && { user }),
  };
}

/** As Mesos shows it: the command truncated to twelve characters. */
function commandText(command: CommandInfo | undefined): string {
  const short = (text: string): string => (text.length > 15 ? `${text.slice(0, 12)}...` : text);
  const value = command?.value;
  if (command?.shell !== false)
    return value === undefined ? "(Command: NO COMMAND)" : `(Command: sh -c '${short(value)}')`;
  if (value === undefined) return "(Command: NO EXECUTABLE)";
  return `(Command: [${short([value, command.arguments.join(", ")].join(", "))}])`;
}

function overhead(of: { name: string; value: number; role: string | undefined }): Resource {
  return {
    name: of.name,
    type: Value_Type.SCALAR,
    scalar: { value: of.value },
    reservations: [],
    ...(of.role !== undefined && { allocation_info: { role: of.role } }),
  };
}

/** The time between SIGTERM and SIGKILL, in milliseconds. */
export function killGracePeriod(
  policies: readonly (
    | { readonly grace_period?: { readonly nanoseconds?: bigint | undefined } | undefined }
    | undefined
  )[],
): number {
  for (const policy of policies) {
    const nanoseconds = policy?.grace_period?.nanoseconds;
    if (nanoseconds !== undefined) return Number(nanoseconds) / 1e6;
  }
  return DEFAULT_KILL_GRACE_PERIOD;
}
