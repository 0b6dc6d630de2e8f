import { expect } from "chai";
import fc from "fast-check";
import { AgentInfo, FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { makeAllocator } from "./make-allocator.js";

function resources(text: string): Resources {
  const parsed = parseResources(text);
  return parsed.ok ? parsed.value : Resources.empty;
}

const TOTALS = [
  "cpus:4;mem:1024;ports:[1-100]",
  "cpus:0.3;mem:31;cpus(x):2;mem(x):64",
  "cpus:2;mem:512;disk:7;disk(x/y):5;ports:[1-3]",
].map(resources);

const AGENTS = ["a0", "a1", "a2"];
const FRAMEWORKS = ["f0", "f1", "f2"];
const ROLES = ["*", "x", "x/y"];

const pick = fc.nat(2);
const anyEvent = fc.oneof(
  fc.record({ kind: fc.constant("add-agent" as const), agent: pick }),
  fc.record({ kind: fc.constant("remove-agent" as const), agent: pick }),
  fc.record({ kind: fc.constant("resize-agent" as const), agent: pick, total: pick }),
  fc.record({ kind: fc.constant("toggle-agent" as const), agent: pick, on: fc.boolean() }),
  fc.record({ kind: fc.constant("add-framework" as const), framework: pick, roles: fc.subarray(ROLES) }),
  fc.record({ kind: fc.constant("update-framework" as const), framework: pick, roles: fc.subarray(ROLES) }),
  fc.record({ kind: fc.constant("remove-framework" as const), framework: pick }),
  fc.record({ kind: fc.constant("toggle-framework" as const), framework: pick, on: fc.boolean() }),
  fc.record({ kind: fc.constant("suppress" as const), framework: pick, role: pick }),
  fc.record({ kind: fc.constant("revive" as const), framework: pick }),
  fc.record({
    kind: fc.constant("give-back" as const),
    which: fc.nat(20),
    half: fc.boolean(),
    refuse: fc.option(fc.integer({ min: -1, max: 9 }), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(3000) }),
);

type Event = typeof anyEvent extends fc.Arbitrary<infer E> ? E : never;

interface Held {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly resources: Resources;
}

/** Feeds events to an allocator and keeps books of its own. */
class Model {
  readonly clock = new VirtualClock();
  readonly metrics = new MetricsRegistry(this.clock);
  readonly allocator = makeAllocator({
    clock: this.clock,
    random: new SeededRandom(11),
    metrics: this.metrics,
  });
  readonly totals = new Map<string, Resources>();
  readonly frameworks = new Set<string>();
  held: Held[] = [];

  constructor() {
    this.allocator.start({
      offer: ({ frameworkId, role, agents }) => {
        expect(this.frameworks.has(frameworkId), "offers to frameworks that are there").to.equal(true);
        for (const [agentId, offered] of agents)
          this.check({ frameworkId, agentId, resources: offered }, role);
      },
    });
  }

  /** What is offered must be there, and nobody may hold it. */
  private check(offer: Held, role: string): void {
    const total = this.totals.get(offer.agentId);
    expect(total, "offers of agents that are there").to.not.equal(undefined);
    const free = total!.subtract(this.heldOn(offer.agentId));
    const plain = offer.resources.unallocate();
    expect(free.contains(plain), `${plain} of what is free: ${free}`).to.equal(true);
    expect(plain.equals(plain.allocatableTo(role)), `${plain} allocatable to ${role}`).to.equal(true);
    this.held.push(offer);
  }

  heldOn(agentId: string): Resources {
    return Resources.sum(
      this.held.filter((held) => held.agentId === agentId).map((held) => held.resources.unallocate()),
    );
  }

  framework(id: string, roles: readonly string[]) {
    const info = FrameworkInfo.fromPartial({ roles: [...roles], capabilities: [{ type: 6 }, { type: 7 }] });
    return { id, info, active: true, suppressedRoles: [], offerConstraints: undefined };
  }

  addAgent(id: string, total: Resources): void {
    this.held = this.held.filter(({ agentId }) => agentId !== id);
    this.totals.set(id, total);
    this.allocator.addAgent({
      id,
      info: AgentInfo.fromPartial({ id: { value: id } }),
      capabilities: [{ type: 1 }, { type: 2 }],
      total,
      used: new Map(),
    });
  }

  apply(event: Event): void {
    switch (event.kind) {
      case "add-agent":
        this.addAgent(AGENTS[event.agent]!, TOTALS[event.agent]!);
        return;
      case "remove-agent": {
        const id = AGENTS[event.agent]!;
        this.allocator.removeAgent(id);
        this.totals.delete(id);
        this.held = this.held.filter(({ agentId }) => agentId !== id);
        return;
      }
      case "resize-agent": {
        const id = AGENTS[event.agent]!;
        if (this.totals.has(id)) this.totals.set(id, TOTALS[event.total]!);
        this.allocator.updateAgent({ id, total: TOTALS[event.total]! });
        return;
      }
      case "toggle-agent":
        if (event.on) this.allocator.activateAgent(AGENTS[event.agent]!);
        else this.allocator.deactivateAgent(AGENTS[event.agent]!);
        return;
      case "add-framework": {
        const id = FRAMEWORKS[event.framework]!;
        this.frameworks.add(id);
        this.allocator.addFramework(this.framework(id, event.roles), new Map());
        return;
      }
      case "update-framework":
        this.allocator.updateFramework(this.framework(FRAMEWORKS[event.framework]!, event.roles));
        return;
      case "remove-framework": {
        const id = FRAMEWORKS[event.framework]!;
        this.allocator.removeFramework(id);
        this.frameworks.delete(id);
        this.held = this.held.filter(({ frameworkId }) => frameworkId !== id);
        return;
      }
      case "toggle-framework":
        if (event.on) this.allocator.activateFramework(FRAMEWORKS[event.framework]!);
        else this.allocator.deactivateFramework(FRAMEWORKS[event.framework]!);
        return;
      case "suppress":
        this.allocator.suppress(FRAMEWORKS[event.framework]!, [ROLES[event.role]!]);
        return;
      case "revive":
        this.allocator.revive(FRAMEWORKS[event.framework]!, []);
        return;
      case "give-back":
        this.giveBack(event);
        return;
      case "wait":
        this.clock.advanceSync(event.ms);
        return;
    }
  }

  private giveBack({ which, half, refuse }: Extract<Event, { kind: "give-back" }>): void {
    if (this.held.length === 0) return;
    const [one] = this.held.splice(which % this.held.length, 1);
    const part = half
      ? one!.resources.mapEntries((entry) =>
          entry.milli > 1 ? entry.withMilli(Math.floor(entry.milli / 2)) : entry,
        )
      : one!.resources;
    const rest = one!.resources.subtract(part);
    if (!rest.isEmpty) this.held.push({ ...one!, resources: rest });
    const filters = refuse === undefined ? undefined : { refuse_seconds: refuse };
    this.allocator.recover({ ...one!, resources: part, filters });
  }
}

describe("the allocator's books", () => {
  it("never offer what is not free, and get everything back in the end", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        const model = new Model();
        for (const event of events) model.apply(event);

        // Everything is given back, everybody leaves, and one framework that may have all asks for it.
        for (const held of model.held.splice(0)) model.allocator.recover(held);
        for (const id of FRAMEWORKS) model.allocator.removeFramework(id);
        model.frameworks.clear();
        expect(model.metrics.snapshot().get("allocator/mesos/resources/cpus/offered_or_allocated")).to.equal(
          0,
        );
        for (const id of AGENTS) model.allocator.activateAgent(id);
        model.frameworks.add("heir");
        const wants = { min_allocatable_resources: { quantities: [] } };
        const heir = model.framework("heir", ["x/y"]);
        model.allocator.addFramework(
          { ...heir, info: { ...heir.info, offer_filters: { "x/y": wants } } },
          new Map(),
        );
        model.clock.advanceSync(1000);
        for (const [id, total] of model.totals) {
          expect(model.heldOn(id).equals(total), `${model.heldOn(id)} of ${id}: ${total}`).to.equal(true);
        }
        model.allocator.stop();
      }),
      { numRuns: 300 },
    );
  });
});
