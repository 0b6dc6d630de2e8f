import type { MeasureUsage, ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import { Resources } from "../../../sdk/resources/index.js";

/** Lends the same whatever happens: what of it is not lent yet can be lent. */
export class FixedEstimator implements ResourceEstimator {
  private readonly all: Resources;

  /** @param resources not allocated; all of them become revocable */
  constructor(resources: Resources) {
    this.all = Resources.of(resources.toMessages().map((message) => ({ ...message, revocable: {} })));
  }

  async oversubscribable(measure: MeasureUsage): Promise<Resources> {
    const { executors } = await measure();
    const lent = executors.map(({ allocated }) => Resources.of(allocated).revocable());
    return this.all.subtract(Resources.sum(lent).unallocate());
  }
}
