import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { MeasureUsage, ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import { fromMilli, Resources, toMilli } from "../../../sdk/resources/index.js";
import { ContainerHistory } from "./container-history.js";

export type SlackName = "cpus" | "mem";

export interface SlackRules {
  /** What is lent. Tasks on lent CPUs only get slower when the owner wants them back; memory has to be taken back by ending them. */
  readonly names: readonly SlackName[];
  /** Seconds that a container is watched before it lends anything; the highest use in this time counts. */
  readonly window: number;
  /** Part (0 to 1) of what a container has that it never lends. */
  readonly reserve: number;
}

/** Thousandths. What is lent is a multiple of these: each change of it takes offers back, so small changes are not worth telling. */
const STEPS: Readonly<Record<SlackName, number>> = { cpus: 500, mem: 64_000 };

/** Lends what containers have and, by their statistics, do not use. */
export class SlackEstimator implements ResourceEstimator {
  private histories = new Map<string, ContainerHistory>();

  constructor(private readonly rules: SlackRules) {}

  async oversubscribable(measure: MeasureUsage): Promise<Resources> {
    const { executors } = await measure();
    const histories = new Map<string, ContainerHistory>();
    const slack = new Map<SlackName, number>();
    const lent = new Map<SlackName, number>();
    for (const { container_id: container, allocated, statistics } of executors) {
      const id = container?.value ?? "";
      const history = this.histories.get(id) ?? new ContainerHistory(this.rules.window);
      histories.set(id, history);
      if (statistics !== undefined) history.add(statistics);
      const resources = Resources.of(allocated);
      for (const name of this.rules.names) {
        const owned = resources.nonRevocable().milli(name);
        addTo(slack, name, this.unused(owned, history.peak?.[name]));
        addTo(lent, name, resources.revocable().milli(name));
      }
    }
    // Those of containers that are gone go with them.
    this.histories = histories;
    const free = this.rules.names.map((name) => {
      const step = STEPS[name];
      const whole = Math.floor((slack.get(name) ?? 0) / step) * step;
      return scalar(name, Math.max(0, whole - (lent.get(name) ?? 0)));
    });
    return Resources.of(free.filter(({ scalar: { value } }) => value > 0));
  }

  /** Thousandths, as its parameter. */
  private unused(owned: number, peak: number | undefined): number {
    if (peak === undefined) return 0;
    return Math.max(0, Math.floor(owned * (1 - this.rules.reserve)) - toMilli(peak));
  }
}

function addTo(sums: Map<SlackName, number>, name: SlackName, milli: number): void {
  sums.set(name, (sums.get(name) ?? 0) + milli);
}

const scalar = (name: string, milli: number) => ({
  name,
  type: Value_Type.SCALAR,
  scalar: { value: fromMilli(milli) },
  reservations: [],
  revocable: {},
});
