import { type DaemonAddress, parseAddress } from "../client/address.js";
import { messageOf, TepuiError } from "../errors/index.js";
import { type Duration, parseDuration } from "../values/index.js";

/** What an agent tells an executor when it starts it. */
export interface ExecutorEnvironment {
  readonly agent: DaemonAddress;
  /** Path of a unix socket to use in place of the address. */
  readonly socketPath: string | undefined;
  readonly frameworkId: string;
  readonly executorId: string;
  /** From SHUTDOWN until the agent destroys the container. */
  readonly shutdownGracePeriod: Duration;
  /** Whether to outlive the agent. */
  readonly checkpoint: boolean;
  /** How long to wait for an agent that is gone; only with `checkpoint`. */
  readonly recoveryTimeout: Duration;
  /** Longest wait between two attempts to subscribe. */
  readonly subscriptionBackoffMax: Duration;
  /** Sent as `Authorization: Bearer`. */
  readonly authenticationToken: string | undefined;
  /** The sandbox. */
  readonly directory: string | undefined;
}

/** Where the agent says nothing; the values of Mesos's library. */
const DEFAULT_RECOVERY_TIMEOUT = "15mins";
const DEFAULT_BACKOFF_MAX = "2secs";

/**
 * Reads the `MESOS_*` variables of an executor.
 *
 * @throws TepuiError TEPUI_EXECUTOR_ENVIRONMENT listing everything that is missing or malformed
 */
export function executorEnvironment(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): ExecutorEnvironment {
  const problems: string[] = [];
  const read = <T>(
    name: string,
    { parse, fallback }: { parse: (text: string) => T; fallback?: string },
  ): T => {
    const text = variables[name] ?? fallback;
    if (text === undefined || text === "") {
      problems.push(`${name} is not set`);
      return undefined as T;
    }
    try {
      return parse(text);
    } catch (error) {
      problems.push(`${name}: ${messageOf(error)}`);
      return undefined as T;
    }
  };
  const text = (value: string): string => value;
  const environment: ExecutorEnvironment = {
    agent: read("MESOS_AGENT_ENDPOINT", { parse: (value) => parseAddress(value, 5051) }),
    socketPath: variables.MESOS_DOMAIN_SOCKET,
    frameworkId: read("MESOS_FRAMEWORK_ID", { parse: text }),
    executorId: read("MESOS_EXECUTOR_ID", { parse: text }),
    shutdownGracePeriod: read("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", { parse: parseDuration }),
    checkpoint: variables.MESOS_CHECKPOINT === "1",
    recoveryTimeout: read("MESOS_RECOVERY_TIMEOUT", {
      parse: parseDuration,
      fallback: DEFAULT_RECOVERY_TIMEOUT,
    }),
    subscriptionBackoffMax: read("MESOS_SUBSCRIPTION_BACKOFF_MAX", {
      parse: parseDuration,
      fallback: DEFAULT_BACKOFF_MAX,
    }),
    authenticationToken: variables.MESOS_EXECUTOR_AUTHENTICATION_TOKEN,
    directory: variables.MESOS_SANDBOX ?? variables.MESOS_DIRECTORY,
  };
  if (problems.length > 0) throw new TepuiError("TEPUI_EXECUTOR_ENVIRONMENT", { problems });
  return environment;
}
