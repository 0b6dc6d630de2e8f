import type { Duration, Rate } from "../../sdk/values/index.js";

/** How a master behaves; named after Mesos's flags. Durations are milliseconds. */
export interface MasterOptions {
  readonly agentPingTimeout: Duration;
  readonly maxAgentPingTimeouts: number;
  readonly agentReregisterTimeout: Duration;
  /** How fast unhealthy agents may be marked unreachable; undefined: unlimited. */
  readonly agentRemovalRateLimit: Rate | undefined;
  /** Fraction (0 to 1) of the agents that may be marked unreachable after a failover; if there are more, none is. */
  readonly recoveryAgentRemovalLimit: number;
  /** Undefined: offers last until they are used or declined. */
  readonly offerTimeout: Duration | undefined;
  /** Roles that frameworks may have; undefined: any. */
  readonly roles: ReadonlySet<string> | undefined;
  readonly weights: ReadonlyMap<string, number>;
  readonly rootSubmissions: boolean;
  readonly requireAgentDomain: boolean;
  readonly maxCompletedFrameworks: number;
  readonly maxCompletedTasksPerFramework: number;
  readonly maxUnreachableTasksPerFramework: number;
  readonly publishPerFrameworkMetrics: boolean;
  readonly registryGcInterval: Duration;
  readonly registryMaxAgentAge: Duration;
  readonly registryMaxAgentCount: number;
}
