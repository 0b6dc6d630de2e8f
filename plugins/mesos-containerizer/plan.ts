import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { ContainerIo } from "../../sdk/contracts/container-logger.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { LaunchPlan } from "../../sdk/contracts/launcher.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { containerName } from "../../sdk/ids/index.js";
import { isOwnUser } from "../../sdk/proc/index.js";

/** What Mesos gives containers whose environment names no PATH. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where the launcher's records lie: apart for each agent, so that agents on one host keep their hands off one another's containers. */
export function recordsDirectory(runtimeDir: string, workDir: string): string {
  const agent = createHash("sha256").update(resolve(workDir)).digest("hex").slice(0, 16);
  return join(runtimeDir, "containers", agent);
}

export function launchPlan(options: {
  request: ContainerRequest;
  contribution: Contribution;
  io: ContainerIo;
  record: string;
  immediate: boolean;
}): LaunchPlan {
  const { request, contribution, io, record, immediate } = options;
  return {
    containerId: containerName(request.containerId),
    ...(contribution.command ?? commandOf(request)),
    environment: {
      PATH: DEFAULT_PATH,
      ...contribution.environment,
      ...request.environment,
      MESOS_SANDBOX: request.directory,
      ...contribution.finalEnvironment,
    },
    workingDirectory: contribution.workingDirectory ?? request.directory,
    sandbox: request.directory,
    user: contribution.user ?? switchedUser(request.user),
    stdout: io.stdout,
    stderr: io.stderr,
    record,
    immediate,
    outlivesAgent: request.checkpoint,
    contribution,
  };
}

/** With a shell, the value is its script; without, the value is the program and the arguments start with `argv[0]`. */
export function commandOf({ command }: ContainerRequest): { argv: readonly string[]; program?: string } {
  const { value } = command;
  if (command.shell !== false) {
    if (value === undefined) throw refused("the command has no value to run in a shell");
    return { argv: ["sh", "-c", value], program: "/bin/sh" };
  }
  if (value === undefined || value === "") throw refused("the command names no executable");
  return { argv: command.arguments.length > 0 ? command.arguments : [value], program: value };
}

/** The user to become, if that takes anything. */
export function switchedUser(user: string | undefined): string | undefined {
  if (user === undefined || isOwnUser(user)) return undefined;
  if (process.geteuid?.() !== 0) {
    throw refused(
      `the agent does not run as root and cannot run commands as user '${user}'; run it as root or with --no-switch_user`,
    );
  }
  return user;
}

export const refused = (detail: string): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
