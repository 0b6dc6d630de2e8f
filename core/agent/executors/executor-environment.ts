import {
  type CommandInfo,
  Environment_Variable_Type,
  type ExecutorInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { durationFromNs, formatDuration } from "../../../sdk/values/index.js";
import type { AgentOptions } from "../options.js";

export interface ExecutorEnvironment {
  readonly options: AgentOptions;
  readonly executor: ExecutorInfo;
  readonly frameworkId: string;
  readonly agentId: string;
  /** `slave(1)@ip:port` */
  readonly agentPid: string;
  readonly directory: string;
  readonly checkpoint: boolean;
  /** With which the executor authenticates to the agent. */
  readonly token: string | undefined;
}

/** The variables that Mesos's agent sets for executors and, through its command executor, for command tasks. */
export function executorEnvironment(of: ExecutorEnvironment): Record<string, string> {
  const { options, executor } = of;
  const grace = executor.shutdown_grace_period?.nanoseconds;
  const environment: Record<string, string> = {
    ...(process.env.LIBPROCESS_IP !== undefined && { LIBPROCESS_IP: process.env.LIBPROCESS_IP }),
    ...options.executorEnvironment,
    // Any free port: the agent's own is taken.
    LIBPROCESS_PORT: "0",
    MESOS_FRAMEWORK_ID: of.frameworkId,
    MESOS_EXECUTOR_ID: executor.executor_id?.value ?? "",
    MESOS_DIRECTORY: of.directory,
    MESOS_SLAVE_ID: of.agentId,
    MESOS_SLAVE_PID: of.agentPid,
    MESOS_AGENT_ENDPOINT: of.agentPid.slice(of.agentPid.indexOf("@") + 1),
    MESOS_CHECKPOINT: of.checkpoint ? "1" : "0",
    MESOS_HTTP_COMMAND_EXECUTOR: options.httpCommandExecutor === true ? "1" : "0",
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: formatDuration(
      grace === undefined ? options.executorShutdownGracePeriod : durationFromNs(grace),
    ),
  };
  if (of.token !== undefined) environment.MESOS_EXECUTOR_AUTHENTICATION_TOKEN = of.token;
  if (of.checkpoint) {
    environment.MESOS_RECOVERY_TIMEOUT = formatDuration(options.recoveryTimeout);
    environment.MESOS_SUBSCRIPTION_BACKOFF_MAX = formatDuration(options.executorReregistrationTimeout);
  }
  return environment;
}

/** The variables of a command, except secrets: an isolator resolves those. */
export function commandEnvironment(command: CommandInfo | undefined): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name, value, type } of command?.environment?.variables ?? []) {
    if (name === undefined || value === undefined || type === Environment_Variable_Type.SECRET) continue;
    environment[name] = value;
  }
  return environment;
}

/** Names of the variables whose values are secrets. */
export function secretVariables(command: CommandInfo | undefined): string[] {
  const secrets = (command?.environment?.variables ?? []).filter(
    ({ type }) => type === Environment_Variable_Type.SECRET,
  );
  return secrets.map(({ name }) => name ?? "");
}
