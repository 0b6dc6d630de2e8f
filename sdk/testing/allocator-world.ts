import assert from "node:assert/strict";
import {
  AgentInfo_Capability_Type as AgentCapability,
  AgentInfo,
  FrameworkInfo_Capability_Type as FrameworkCapability,
  FrameworkInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Allocator, AllocatorCallbacks, AllocatorFramework } from "../contracts/allocator.js";
import type { Clock } from "../contracts/clock.js";
import type { Metrics } from "../contracts/metrics.js";
import { MetricsRegistry } from "../contracts/metrics-registry.js";
import type { Random } from "../contracts/random.js";
import { parseResources, type Resources } from "../resources/index.js";
import { SeededRandom } from "./seeded-random.js";
import { VirtualClock } from "./virtual-clock.js";

export interface AllocatorDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
}

/** Makes an allocator with Mesos's default settings: an interval of one second, `cpus:0.01|mem:32`, GPU agents set apart. */
export type MakeAllocator = (dependencies: AllocatorDependencies) => Allocator;

/** Whose turn it is: whoever has the least dominant share by weight, or anybody, as with a random sorter. */
export type Turns = "by shares" | "any";

export const INTERVAL_MS = 1000;

export const AGENT_CAPABILITIES = [
  AgentCapability.MULTI_ROLE,
  AgentCapability.HIERARCHICAL_ROLE,
  AgentCapability.RESERVATION_REFINEMENT,
].map((type) => ({ type }));

/** One offer as the suite compares it. */
export interface Seen {
  readonly framework: string;
  readonly role: string;
  readonly agent: string;
  readonly resources: Resources;
}

export interface FrameworkOptions {
  readonly roles?: readonly string[];
  readonly capabilities?: readonly FrameworkCapability[];
  readonly active?: boolean;
  readonly suppressed?: readonly string[];
  readonly constraints?: OfferConstraints;
  readonly info?: Partial<FrameworkInfo>;
}

/** An allocator with helpers around it: resources as text, offers as a list. */
export class World {
  readonly clock = new VirtualClock();
  readonly allocator: Allocator;
  private offers: Seen[] = [];

  constructor(make: MakeAllocator, inverseOffer: NonNullable<AllocatorCallbacks["inverseOffer"]> = () => {}) {
    this.allocator = make({
      clock: this.clock,
      random: new SeededRandom(1),
      metrics: new MetricsRegistry(this.clock),
    });
    this.allocator.start({
      inverseOffer,
      offer: ({ frameworkId, role, agents }) => {
        for (const [agent, resources] of agents) {
          this.offers.push({ framework: frameworkId, role, agent, resources });
        }
      },
    });
  }

  framework(id: string, options: FrameworkOptions = {}): AllocatorFramework {
    const { roles = ["*"], capabilities = [], active = true, suppressed = [], constraints, info } = options;
    const all = [FrameworkCapability.MULTI_ROLE, ...capabilities].map((type) => ({ type }));
    return {
      id,
      info: FrameworkInfo.fromPartial({ id: { value: id }, roles: [...roles], capabilities: all, ...info }),
      active,
      suppressedRoles: suppressed,
      offerConstraints: constraints,
    };
  }

  addFramework(id: string, options: FrameworkOptions = {}): void {
    this.allocator.addFramework(this.framework(id, options), new Map());
  }

  /** @param total resources as text, such as `cpus:2;mem:1024` */
  addAgent(id: string, total: string | Resources, more: Partial<AgentInfo> = {}): void {
    this.allocator.addAgent({
      id,
      info: AgentInfo.fromPartial({ id: { value: id }, hostname: `${id}.example`, ...more }),
      capabilities: AGENT_CAPABILITIES,
      total: resourcesOf(total),
      used: new Map(),
    });
  }

  /** Offers made while this much time passes; milliseconds. */
  async during(ms: number): Promise<Seen[]> {
    this.offers = [];
    await this.clock.advance(ms);
    return this.offers;
  }

  /** Offers made within one interval. */
  next(): Promise<Seen[]> {
    return this.during(INTERVAL_MS);
  }

  /** @param refuse seconds; absent: no filter, as when a task ends */
  giveBack(offer: Seen, refuse?: number): void {
    this.allocator.recover({
      frameworkId: offer.framework,
      agentId: offer.agent,
      resources: offer.resources,
      filters: refuse === undefined ? undefined : { refuse_seconds: refuse },
    });
  }
}

export function resourcesOf(total: string | Resources): Resources {
  if (typeof total !== "string") return total;
  const parsed = parseResources(total);
  assert.ok(parsed.ok, total);
  return parsed.value;
}

/** `framework/role@agent=resources`, sorted; resources without their allocation. */
export function show(offers: readonly Seen[]): string[] {
  return offers
    .map(({ framework, role, agent, resources }) => `${framework}/${role}@${agent}=${plain(resources)}`)
    .sort();
}

export function plain(resources: Resources): string {
  return resources.unallocate().toString();
}

export const only = (offers: readonly Seen[]): Seen => {
  assert.equal(offers.length, 1, `one offer, not ${JSON.stringify(show(offers))}`);
  return offers[0]!;
};
