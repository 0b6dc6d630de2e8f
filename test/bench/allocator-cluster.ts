import plugin from "../../plugins/drf-allocator/index.js";
import { AgentInfo, FrameworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { Allocator } from "../../sdk/contracts/allocator.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import { parseResources, type Resources } from "../../sdk/resources/index.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { BenchClock } from "./allocator-clock.js";
import { stopwatch } from "./allocator-stopwatch.js";

/** What Mesos's own allocator benchmarks give each agent, and what is in use of it; with many port ranges. */
export const AGENT = resources("cpus:24;mem:4096;disk:4096;ports:[31000-32000]");
const PORTS = Array.from({ length: 16 }, (_, i) => `${31000 + i * 62}-${31000 + i * 62 + 30}`).join(",");
const IN_USE = resources(`cpus:16;mem:1024;disk:1024;ports:[${PORTS}]`);

export const INTERVAL_MS = 1000;

export interface Offer {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly resources: Resources;
}

/** An allocator with agents and frameworks around it, that notes what it offers. */
export class BenchCluster {
  readonly clock = new BenchClock();
  readonly allocator: Allocator;
  offers: Offer[] = [];

  constructor(config: Record<string, unknown> = {}) {
    let made: Allocator | undefined;
    const context = {
      config: plugin.config!.parse(config),
      bind: (point: unknown, implementation: Allocator) => {
        if (point === Allocator) made = implementation;
      },
    };
    const deps = { clock: this.clock, random: new SeededRandom(1), metrics: new MetricsRegistry(this.clock) };
    (plugin.setup as (context: unknown, deps: unknown) => unknown)(context, deps);
    this.allocator = made!;
    this.allocator.start({
      offer: ({ frameworkId, agents }) => {
        for (const [agentId, offered] of agents) {
          this.offers.push({ frameworkId, agentId, resources: offered });
        }
      },
    });
  }

  addFrameworks(count: number, roleOf: (number: number) => string = () => "*"): void {
    for (let i = 0; i < count; i++) {
      const id = `framework-${i}`;
      const info = FrameworkInfo.fromPartial({
        id: { value: id },
        roles: [roleOf(i)],
        capabilities: [{ type: 6 }],
      });
      this.allocator.addFramework(
        { id, info, active: true, suppressedRoles: [], offerConstraints: undefined },
        new Map(),
      );
    }
  }

  /** @param options.holder which framework uses a part of the agent, as in Mesos's benchmarks; `each` is called after each agent */
  addAgents(
    count: number,
    options: { total?: Resources; holder?: (number: number) => string; each?: () => void } = {},
  ): void {
    const used = IN_USE.allocate("*");
    for (let i = 0; i < count; i++) {
      const id = `agent-${i}`;
      const holder = options.holder?.(i);
      this.allocator.addAgent({
        id,
        info: AgentInfo.fromPartial({ id: { value: id }, hostname: `${id}.example` }),
        capabilities: [{ type: 1 }, { type: 2 }],
        total: options.total ?? AGENT,
        used: holder === undefined ? new Map() : new Map([[holder, used]]),
      });
      options.each?.();
    }
  }

  /** Gives back all offers. Without `refuseSeconds` there is no filter. Returns milliseconds. */
  decline(refuseSeconds?: number): number {
    const offers = this.takeOffers();
    const filters = refuseSeconds === undefined ? undefined : { refuse_seconds: refuseSeconds };
    return this.time(() => {
      for (const offer of offers) this.allocator.recover({ ...offer, filters });
    });
  }

  takeOffers(): Offer[] {
    return this.offers.splice(0);
  }

  /** Milliseconds that the allocator works in the next interval. */
  cycle(): number {
    return this.clock.pass(INTERVAL_MS);
  }

  time(work: () => void): number {
    const worked = stopwatch();
    work();
    return worked();
  }
}

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}
