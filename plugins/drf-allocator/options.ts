import type { DomainInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { Quantities } from "../../sdk/resources/index.js";
import type { PatternLimits } from "./constraints/pattern.js";
import type { SorterKind } from "./sorter/sorter.js";

export interface DrfAllocatorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Milliseconds between the runs of the batch. */
  readonly allocationInterval: number;
  /** Milliseconds that a run works before it lets others have the event loop. */
  readonly sliceMs: number;
  readonly roleSorter: SorterKind;
  readonly frameworkSorter: SorterKind;
  /** Alternatives; none: anything is worth an offer. */
  readonly minAllocatable: readonly Quantities[];
  readonly fairSharingExcluded: ReadonlySet<string>;
  readonly filterGpuResources: boolean;
  /** The master's. */
  readonly domain: DomainInfo | undefined;
  readonly patternLimits: PatternLimits;
  /** The part of the expected agents that has to come back after a failover before anything is offered. */
  readonly agentRecoveryFactor: number;
  /** Milliseconds after which offers are made however many agents are missing. */
  readonly recoveryTimeout: number;
}
