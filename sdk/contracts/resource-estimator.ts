import type { ResourceUsage } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";

/**
 * What all containers of the agent have (`allocated`: with allocation roles, revocable ones among them) and use (`statistics`, measured
 * now; absent for a container that cannot be measured), and the agent's `total`. Never rejects.
 */
export type MeasureUsage = () => Promise<ResourceUsage>;

/** Says what of an agent's resources can be lent a second time, as revocable resources. */
export interface ResourceEstimator {
  /**
   * How much may be given out as revocable now, besides the revocable resources that containers hold already: revocable, not allocated,
   * possibly none. Asked at the start and every `--oversubscribed_resources_interval` after the last answer; one question at a time. When
   * it rejects, or names something that is not revocable, the last estimate stays. Everything lent can be taken back only by a
   * QoSController, so that an estimate that shrinks ends nothing.
   */
  oversubscribable(measure: MeasureUsage): Promise<Resources>;
}

export const ResourceEstimator = extensionPoint<ResourceEstimator, "one">("tepui.resource-estimator", {
  version: "1.0",
  cardinality: "one",
});
