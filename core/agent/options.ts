import type { ContainerInfo, DomainInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Duration } from "../../sdk/values/index.js";
import type { ExecutorPrograms } from "./executors/executor-programs.js";
import type { ReconfigurationPolicy } from "./recovery/compatibility.js";

/** How an agent behaves; named after Mesos's flags. Durations are milliseconds. */
export interface AgentOptions {
  /** An absolute path. */
  readonly workDir: string;
  /** Text of `--resources`; undefined: all resources are detected. */
  readonly resources: string | undefined;
  /** Text of `--attributes`. */
  readonly attributes: string | undefined;
  readonly defaultRole: string;
  readonly domain?: DomainInfo | undefined;
  /** The host name told to others; undefined: the server's own. */
  readonly hostname: string | undefined;
  readonly switchUser: boolean;
  readonly registrationBackoffFactor: Duration;
  readonly executorRegistrationTimeout: Duration;
  readonly executorReregistrationTimeout: Duration;
  /** When to ask an executor of the v0 driver again to re-register; 0 or absent: it is asked only once. */
  readonly executorReregistrationRetryInterval?: Duration | undefined;
  /** Signs the tokens of executors; absent: they get none. */
  readonly tokenKey?: Uint8Array | undefined;
  /** Whether executors that use HTTP must present their tokens. Those of the v0 driver cannot. */
  readonly authenticateExecutors?: boolean;
  readonly executorShutdownGracePeriod: Duration;
  /** What to do with executors that an earlier run left behind; `cleanup` ends them, and then the agent. */
  readonly recover: "reconnect" | "cleanup";
  readonly reconfigurationPolicy: ReconfigurationPolicy;
  /** Whether an invalid record stops the recovery, or is skipped and counted. */
  readonly strict: boolean;
  /** Mesos's own executors, run in place of the built-in ones; absent: there are none. */
  readonly executorPrograms?: ExecutorPrograms | undefined;
  /** Whether Mesos's command executor uses HTTP or libprocess. */
  readonly httpCommandExecutor?: boolean;
  /** How long executors wait for an agent that is away. */
  readonly recoveryTimeout: Duration;
  readonly executorEnvironment: Readonly<Record<string, string>>;
  readonly maxCompletedExecutorsPerFramework: number;
  /** Whether CPU limits are enforced. */
  readonly cgroupsEnableCfs: boolean;
  /** The ContainerInfo of containers whose framework gives none. */
  readonly defaultContainerInfo?: ContainerInfo | undefined;
  readonly gcDelay: Duration;
  /** Fraction (0 to 1) of the disk that should stay free. */
  readonly gcDiskHeadroom: number;
  readonly diskWatchInterval: Duration;
  /** Whether the sandboxes of nested and standalone containers are removed like those of executors. */
  readonly gcNonExecutorContainerSandboxes: boolean;
  readonly oversubscribedResourcesInterval: Duration;
  readonly qosCorrectionInterval: Duration;
}
