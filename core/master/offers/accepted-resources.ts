import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { Conversion } from "../../../sdk/contracts/allocator.js";
import {
  applyConversions,
  conversionsOf,
  failure,
  isSpeculative,
  operationResources,
  type ResourceConversion,
  Resources,
  type Result,
  success,
} from "../../../sdk/resources/index.js";

/** What an operation does to the resources of an ACCEPT. */
interface Effect {
  readonly left: Resources;
  /** Set aside until the ACCEPT is done. */
  readonly resized: Resources;
  readonly conversions: readonly ResourceConversion[];
  /** Consumed by an operation whose outcome is not known yet. */
  readonly pending: Resources;
}

/** What becomes of the resources of an ACCEPT; the parts add up to what the allocator counts as the framework's. */
interface Outcome {
  readonly conversions: readonly Conversion[];
  /** Used by tasks and executors. */
  readonly used: Resources;
  /** Left over, but different from what was offered. */
  readonly made: Resources;
  /** Left over as offered. */
  readonly declined: Resources;
}

const NOTHING = Resources.empty;

/** The resources of an ACCEPT: each operation sees them as the operations before it left them. */
export class AcceptedResources {
  private left: Resources;
  private shared: Resources;
  private resized = NOTHING;
  private used = NOTHING;
  private readonly conversions: Conversion[] = [];

  constructor(private readonly offered: Resources) {
    this.left = offered;
    this.shared = offered.shared();
  }

  /** What tasks can use. Copies of a shared volume are not used up: any number of tasks may share it. */
  get available(): Resources {
    return this.shared.isEmpty ? this.left : this.left.nonShared().add(this.shared);
  }

  /** Tasks now use them. */
  use(resources: Resources): void {
    if (resources.isEmpty) return;
    const copies = resources.shared().subtract(this.left.shared());
    if (!copies.isEmpty) this.conversions.push({ consumed: NOTHING, converted: copies });
    this.left = this.left.subtract(resources);
    this.used = this.used.add(resources);
  }

  /** The effect of a valid operation, or why it is impossible, in Mesos's words. Changes nothing. */
  effectOf(info: Offer_Operation): Result<Effect> {
    const { left } = this;
    const type = OperationType[info.type ?? OperationType.UNKNOWN];
    const missing = (consumed: Resources) =>
      failure(`Invalid ${type} operation: ${left} does not contain ${consumed}`);
    if (!isSpeculative(info)) {
      const pending = Resources.of(operationResources(info));
      if (!left.contains(pending)) return missing(pending);
      return success({ left: left.subtract(pending), resized: NOTHING, conversions: [], pending });
    }
    const conversions = conversionsOf(info);
    if (!conversions.ok) return conversions;
    const resizes = info.type === OperationType.GROW_VOLUME || info.type === OperationType.SHRINK_VOLUME;
    const [resize] = conversions.value;
    if (resizes && resize !== undefined) {
      // As in Mesos, a resized volume cannot be used in the same ACCEPT, only in the next.
      if (!left.contains(resize.consumed)) return missing(resize.consumed);
      const rest = left.subtract(resize.consumed);
      return success({ left: rest, resized: resize.converted, conversions: [resize], pending: NOTHING });
    }
    const after = applyConversions(left, conversions.value);
    if (!after.ok) return after;
    return success({ left: after.value, resized: NOTHING, conversions: conversions.value, pending: NOTHING });
  }

  apply({ left, resized, conversions }: Effect): void {
    this.left = left;
    this.resized = this.resized.add(resized);
    for (const { consumed, converted } of conversions) {
      if (!consumed.isEmpty) this.conversions.push({ consumed, converted });
    }
    // Volumes may have been created or destroyed.
    if (resized.isEmpty && conversions.length > 0) this.shared = left.shared();
  }

  outcome(): Outcome {
    const { left, resized, offered, used, conversions } = this;
    const rest = left.add(resized);
    const made = rest.subtract(offered);
    return { conversions, used, made, declined: rest.subtract(made) };
  }
}
