import {
  type CheckInfo,
  CheckInfo_Type as CheckType,
  type CommandInfo,
  type HealthCheck,
  HealthCheck_Type as HealthType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { validateCommand } from "../../validation/command.js";

/*
 * What is wrong with a check or a health check, in Mesos's words.
 *
 * Source: src/common/validation.cpp, `validateCheckInfo` and `validateHealthCheck`.
 */

export function validateCheck(check: CheckInfo): string | undefined {
  return validateCheckKind(check) ?? validateTimes(check);
}

function validateCheckKind({ type, command, http, tcp }: CheckInfo): string | undefined {
  switch (type) {
    case CheckType.COMMAND:
      if (command === undefined) return "Expecting 'command' to be set for COMMAND check";
      return validateCheckCommand(command.command, { subject: "Command check", owner: "Check's" });
    case CheckType.HTTP:
      if (http === undefined) return "Expecting 'http' to be set for HTTP check";
      return validatePath(http.path, "HTTP check");
    case CheckType.TCP:
      return tcp === undefined ? "Expecting 'tcp' to be set for TCP check" : undefined;
    case undefined:
      return "CheckInfo must specify 'type'";
    default:
      return "'UNKNOWN' is not a valid check type";
  }
}

export function validateHealthCheck(check: HealthCheck): string | undefined {
  return validateHealthKind(check) ?? validateTimes(check);
}

function validateHealthKind({ type, command, http, tcp }: HealthCheck): string | undefined {
  switch (type) {
    case HealthType.COMMAND:
      if (command === undefined) return "Expecting 'command' to be set for COMMAND health check";
      return validateCheckCommand(command, { subject: "Command health check", owner: "Health check's" });
    case HealthType.HTTP:
      if (http === undefined) return "Expecting 'http' to be set for HTTP health check";
      if (http.scheme !== undefined && !isScheme(http.scheme)) {
        return `Unsupported HTTP health check scheme: '${http.scheme}'`;
      }
      return validatePath(http.path, "HTTP health check");
    case HealthType.TCP:
      return tcp === undefined ? "Expecting 'tcp' to be set for TCP health check" : undefined;
    case undefined:
      return "HealthCheck must specify 'type'";
    default:
      return "'UNKNOWN' is not a valid health check type";
  }
}

/** Mesos's schemes and others: they name another kind of checker that the agent may have. */
const isScheme = (scheme: string): boolean =>
  scheme === "http" || scheme === "https" || scheme === "grpc" || scheme.startsWith("x-");

function validateCheckCommand(
  command: CommandInfo | undefined,
  { subject, owner }: { subject: string; owner: string },
): string | undefined {
  if (command?.value === undefined) {
    return `${subject} must contain ${(command?.shell ?? true) ? "'shell command'" : "'executable path'"}`;
  }
  const problem = validateCommand(command);
  return problem === undefined ? undefined : `${owner} \`CommandInfo\` is invalid: ${problem}`;
}

const validatePath = (path: string | undefined, subject: string): string | undefined =>
  path === undefined || path.startsWith("/")
    ? undefined
    : `The path '${path}' of ${subject} must start with '/'`;

type Times = Pick<
  HealthCheck,
  "delay_seconds" | "grace_period_seconds" | "interval_seconds" | "timeout_seconds"
>;

/** In the order in which Mesos checks them; checks have no grace period. */
const TIMES = ["delay_seconds", "grace_period_seconds", "interval_seconds", "timeout_seconds"] as const;

function validateTimes(times: Times): string | undefined {
  const negative = TIMES.find((name) => (times[name] ?? 0) < 0);
  return negative === undefined ? undefined : `Expecting '${negative}' to be non-negative`;
}
