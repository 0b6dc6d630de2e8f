import type { ContainerInfo, DomainInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Duration } from "../../sdk/values/index.js";
import type { ExecutorPrograms } from "./executors/executor-programs.js";
import type { ReconfigurationPolicy } from "./recovery/compatibility.js";

/** How an agent behaves; the names are those of Mesos's flags. Durations are milliseconds. */
export interface AgentOptions {
  /** Absolute. */
  readonly workDir: string;
  /** As `--resources` gives them; undefined: all is detected. */
  readonly resources: string | undefined;
  /** As `--attributes` gives them. */
  readonly attributes: string | undefined;
  readonly defaultRole: string;
  readonly domain?: DomainInfo | undefined;
  /** Told to others; undefined: the server's own. */
  readonly hostname: string | undefined;
  readonly switchUser: boolean;
  readonly registrationBackoffFactor: Duration;
  readonly executorRegistrationTimeout: Duration;
  readonly executorReregistrationTimeout: Duration;
  /** After how long an executor of the v0 driver is asked again to come back; 0 or absent: it is asked once. */
  readonly executorReregistrationRetryInterval?: Duration | undefined;
  /** Signs the tokens that executors are given; absent: they are given none. */
  readonly tokenKey?: Uint8Array | undefined;
  /** Whether executors that speak HTTP have to show their tokens. Those of the v0 driver cannot. */
  readonly authenticateExecutors?: boolean;
  readonly executorShutdownGracePeriod: Duration;
  /** What becomes of executors that an earlier run left: `cleanup` ends them, and then the agent. */
  readonly recover: "reconnect" | "cleanup";
  readonly reconfigurationPolicy: ReconfigurationPolicy;
  /** Whether a record that makes no sense stops the recovery, or is passed over and counted. */
  readonly strict: boolean;
  /** Mesos's own executors, run in place of what the agent does by itself; absent: there are none. */
  readonly executorPrograms?: ExecutorPrograms | undefined;
  /** Whether Mesos's command executor is to speak HTTP, or libprocess. */
  readonly httpCommandExecutor?: boolean;
  /** How long executors wait for an agent that is away. */
  readonly recoveryTimeout: Duration;
  readonly executorEnvironment: Readonly<Record<string, string>>;
  readonly maxCompletedExecutorsPerFramework: number;
  /** Whether CPU limits are enforced. */
  readonly cgroupsEnableCfs: boolean;
  /** What containers are that their framework says nothing of. */
  readonly defaultContainerInfo?: ContainerInfo | undefined;
  readonly gcDelay: Duration;
  /** Part (0 to 1) of the disk that is to stay free. */
  readonly gcDiskHeadroom: number;
  readonly diskWatchInterval: Duration;
  /** Whether the sandboxes of containers within containers, and of standalone ones, go as those of executors do. */
  readonly gcNonExecutorContainerSandboxes: boolean;
  readonly oversubscribedResourcesInterval: Duration;
  readonly qosCorrectionInterval: Duration;
}
