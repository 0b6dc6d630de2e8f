import { expect } from "chai";
import fc from "fast-check";
import type { DrfAllocator } from "../../../plugins/drf-allocator/drf-allocator.js";
import type { DrfAllocatorOptions } from "../../../plugins/drf-allocator/options.js";
import { AgentInfo, FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { type Quantities, Resources } from "../../../sdk/resources/index.js";
import { isInSubtree } from "../../../sdk/roles/index.js";
import { resources } from "../../../sdk/testing/allocator-text.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { makeAllocator } from "./make-allocator.js";

const TOTALS = [
  "cpus:4;mem:1024;ports:[1-100]",
  "cpus:0.3;mem:31;cpus(x):2;mem(x):64+revocable(cpus:1)",
  "cpus:2;mem:512;disk:7;disk(x/y):5;ports:[1-3]+shared(x,v,3)",
  "cpus:1;mem:100",
].map(resources);

const CONVERSIONS: readonly (readonly [from: Resources, to: Resources])[] = [
  [resources("cpus:1"), resources("dynamic(x;cpus:1)")],
  [resources("dynamic(x;cpus:1)"), resources("cpus:1")],
  [resources("disk(x/y):5"), resources("volume(x/y,w,5)")],
];

const QUANTITIES: readonly Quantities[] = [
  new Map(),
  new Map([["cpus", 1000]]),
  new Map([
    ["cpus", 3000],
    ["mem", 700_000],
  ]),
];

const AGENTS = ["a0", "a1", "a2", "a3"];
const FRAMEWORKS = ["f0", "f1", "f2"];
const ROLES = ["*", "x", "x/y"];
const TOP_ROLES = ["*", "x"];

const pick = fc.nat(2);
const pickAgent = fc.nat(3);

const wait = fc.record({ kind: fc.constant("wait" as const), ms: fc.oneof(fc.nat(3), fc.nat(3000)) });

export const anyEvent = fc.oneof(
  { weight: 8, arbitrary: wait },
  fc.record({ kind: fc.constant("add-agent" as const), agent: pickAgent }),
  fc.record({ kind: fc.constant("remove-agent" as const), agent: pickAgent }),
  fc.record({ kind: fc.constant("resize-agent" as const), agent: pickAgent, total: pickAgent }),
  fc.record({ kind: fc.constant("toggle-agent" as const), agent: pickAgent, on: fc.boolean() }),
  fc.record({ kind: fc.constant("add-framework" as const), framework: pick, roles: fc.subarray(ROLES) }),
  fc.record({ kind: fc.constant("update-framework" as const), framework: pick, roles: fc.subarray(ROLES) }),
  fc.record({ kind: fc.constant("remove-framework" as const), framework: pick }),
  fc.record({ kind: fc.constant("toggle-framework" as const), framework: pick, on: fc.boolean() }),
  fc.record({ kind: fc.constant("suppress" as const), framework: pick, role: pick }),
  fc.record({ kind: fc.constant("revive" as const), framework: pick }),
  fc.record({ kind: fc.constant("quota" as const), role: fc.nat(1), guarantee: pick, limit: pick }),
  fc.record({ kind: fc.constant("use" as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant("convert" as const), which: fc.nat(20), how: pick }),
  fc.record({ kind: fc.constant("convert-free" as const), agent: pickAgent, how: pick }),
  fc.record({ kind: fc.constant("pause" as const), ms: fc.nat(1500) }),
  fc.record({ kind: fc.constant("maintenance" as const), agent: pickAgent, on: fc.boolean() }),
  fc.record({ kind: fc.constant("explain" as const), framework: pick }),
  fc.record({
    kind: fc.constant("give-back" as const),
    which: fc.nat(20),
    half: fc.boolean(),
    refuse: fc.option(fc.integer({ min: -1, max: 9 }), { nil: undefined }),
  }),
);

export type Event = typeof anyEvent extends fc.Arbitrary<infer E> ? E : never;

interface Held {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly resources: Resources;
  readonly allocated: boolean;
}

/** A clock on which nothing comes at once: what a run leaves for its next slice comes a millisecond later, and events in between. */
class SlowClock extends VirtualClock {
  override setTimeout(fn: () => void, ms: number) {
    return super.setTimeout(fn, Math.max(1, ms));
  }
}

/** Feeds events to an allocator that pauses after every agent, and keeps books of its own to check each offer against. */
export class Model {
  readonly clock = new SlowClock();
  readonly metrics = new MetricsRegistry(this.clock);
  readonly allocator: DrfAllocator;
  readonly totals = new Map<string, Resources>();
  readonly frameworks = new Set<string>();
  readonly limits = new Map<string, Quantities>();
  held: Held[] = [];
  offers = 0;

  constructor(options: Partial<DrfAllocatorOptions> = {}) {
    this.allocator = makeAllocator(
      { clock: this.clock, random: new SeededRandom(11), metrics: this.metrics },
      { sliceMs: 0, ...options },
    );
    this.allocator.start({
      offer: ({ frameworkId, role, agents }) => {
        expect(this.frameworks.has(frameworkId), "offers to frameworks that are there").to.equal(true);
        for (const [agentId, offered] of agents) {
          this.offers++;
          this.check({ frameworkId, agentId, resources: offered, allocated: false }, role);
        }
      },
      inverseOffer: ({ frameworkId, agents }) => {
        for (const agentId of agents.keys()) {
          const any = this.held.some((one) => one.frameworkId === frameworkId && one.agentId === agentId);
          expect(any, "inverse offers to who holds something").to.equal(true);
        }
      },
    });
  }

  apply(event: Event): void {
    const { allocator } = this;
    switch (event.kind) {
      case "add-agent":
        this.addAgent(AGENTS[event.agent]!, TOTALS[event.agent]!);
        return;
      case "remove-agent":
        this.removeAgent(AGENTS[event.agent]!);
        return;
      case "resize-agent": {
        const id = AGENTS[event.agent]!;
        if (this.totals.has(id)) this.totals.set(id, TOTALS[event.total]!);
        allocator.updateAgent({ id, total: TOTALS[event.total]! });
        return;
      }
      case "toggle-agent":
        if (event.on) allocator.activateAgent(AGENTS[event.agent]!);
        else allocator.deactivateAgent(AGENTS[event.agent]!);
        return;
      case "add-framework":
        this.addFramework(FRAMEWORKS[event.framework]!, event.roles);
        return;
      case "update-framework":
        allocator.updateFramework(this.framework(FRAMEWORKS[event.framework]!, event.roles));
        return;
      case "remove-framework":
        this.removeFramework(FRAMEWORKS[event.framework]!);
        return;
      case "toggle-framework":
        if (event.on) allocator.activateFramework(FRAMEWORKS[event.framework]!);
        else allocator.deactivateFramework(FRAMEWORKS[event.framework]!);
        return;
      case "suppress":
        allocator.suppress(FRAMEWORKS[event.framework]!, [ROLES[event.role]!]);
        return;
      case "revive":
        allocator.revive(FRAMEWORKS[event.framework]!, []);
        return;
      case "quota":
        this.setQuota(TOP_ROLES[event.role]!, QUANTITIES[event.guarantee]!, QUANTITIES[event.limit]!);
        return;
      case "use":
        this.use(event.which);
        return;
      case "convert":
        this.convert(event.which, CONVERSIONS[event.how]!);
        return;
      case "convert-free":
        this.convertFree(AGENTS[event.agent]!, CONVERSIONS[event.how]!);
        return;
      case "pause":
        allocator.pause();
        this.clock.advanceSync(event.ms);
        allocator.resume();
        return;
      case "maintenance":
        allocator.updateUnavailability(
          AGENTS[event.agent]!,
          event.on ? { start: { nanoseconds: 1n } } : undefined,
        );
        return;
      case "explain":
        this.explain(FRAMEWORKS[event.framework]!);
        return;
      case "give-back":
        this.giveBack(event);
        return;
      case "wait":
        this.clock.advanceSync(event.ms);
        return;
    }
  }

  /** Everything is given back, everybody leaves, and one framework that may have all asks for it and has to get it. */
  settle(): void {
    const { allocator } = this;
    for (const held of this.held.splice(0)) allocator.recover(held);
    for (const id of FRAMEWORKS) this.removeFramework(id);
    for (const role of TOP_ROLES) this.setQuota(role, new Map(), new Map());
    allocator.resume();
    const held = [...this.metrics.snapshot()].filter(([name]) => /offered_or_allocated|active$/.test(name));
    expect(held.filter(([, value]) => value !== 0)).to.deep.equal([]);
    for (const id of AGENTS) allocator.activateAgent(id);
    this.addFramework("heir", ["x/y"]);
    this.clock.advanceSync(1500);
    for (const [id, total] of this.totals) {
      const held = this.heldOn(id);
      // Of shared resources there may be any number of copies.
      const all = held.nonShared().equals(total.nonShared()) && held.contains(total.shared());
      expect(all, `${held} of ${id}: ${total}`).to.equal(true);
    }
    for (const one of this.held.splice(0)) allocator.recover(one);
    this.removeFramework("heir");
    for (const id of AGENTS) this.removeAgent(id);
    const left = [...this.metrics.snapshot()].filter(([name]) => /\/roles\/[^/]/.test(name));
    expect(left).to.deep.equal([]);
  }

  /** What is offered must be there, nobody may hold it, and no limit may be passed. */
  private check(offer: Held, role: string): void {
    const total = this.totals.get(offer.agentId);
    expect(total, "offers of agents that are there").to.not.equal(undefined);
    const free = total!.subtract(this.heldOn(offer.agentId).nonShared());
    const plain = offer.resources.unallocate();
    expect(free.contains(plain), `${plain} of what is free: ${free}`).to.equal(true);
    expect(plain.equals(plain.allocatableTo(role)), `${plain} allocatable to ${role}`).to.equal(true);
    this.held.push(offer);
    const top = role.split("/")[0]!;
    for (const [name, limit] of this.limits.get(top) ?? []) {
      if (!counting(plain).some((entry) => entry.name === name)) continue;
      expect(this.consumed(top, name), `${name} of ${top}, limit ${limit}`).to.be.at.most(limit);
    }
  }

  private consumed(top: string, name: string): number {
    let milli = 0;
    for (const total of this.totals.values()) milli += total.reservedToSubtree(top).milli(name);
    for (const { resources: held, frameworkId } of this.held) {
      if (!this.frameworks.has(frameworkId)) continue;
      for (const entry of counting(held)) {
        if (entry.name === name && isInSubtree(entry.kind.allocationRole ?? "", top)) milli += entry.milli;
      }
    }
    return milli;
  }

  private heldOn(agentId: string): Resources {
    return Resources.sum(
      this.held.filter((one) => one.agentId === agentId).map((one) => one.resources.unallocate()),
    );
  }

  private framework(id: string, roles: readonly string[]) {
    const least = { min_allocatable_resources: { quantities: [] } };
    const info = FrameworkInfo.fromPartial({
      roles: [...roles],
      capabilities: [{ type: 6 }, { type: 7 }, { type: 1 }, { type: 4 }],
      // Two ways: whatever there is, or Mesos's default.
      offer_filters: id === "f1" ? {} : Object.fromEntries(roles.map((role) => [role, least])),
    });
    return { id, info, active: true, suppressedRoles: [], offerConstraints: undefined };
  }

  private addAgent(id: string, total: Resources): void {
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

  private removeAgent(id: string): void {
    this.allocator.removeAgent(id);
    this.totals.delete(id);
    this.held = this.held.filter(({ agentId }) => agentId !== id);
  }

  private addFramework(id: string, roles: readonly string[]): void {
    this.frameworks.add(id);
    this.allocator.addFramework(this.framework(id, roles), new Map());
  }

  private removeFramework(id: string): void {
    this.allocator.removeFramework(id);
    this.frameworks.delete(id);
    this.held = this.held.filter(({ frameworkId }) => frameworkId !== id);
  }

  private setQuota(role: string, guarantees: Quantities, bounds: Quantities): void {
    // A limit is no less than the guarantee.
    const limits = new Map(
      [...bounds].map(([name, milli]) => [name, Math.max(milli, guarantees.get(name) ?? 0)]),
    );
    this.limits.set(role, limits);
    this.allocator.updateQuota(role, { guarantees, limits });
  }

  private use(which: number): void {
    const index = which % Math.max(1, this.held.length);
    const one = this.held[index];
    if (one === undefined || one.allocated) return;
    this.held[index] = { ...one, allocated: true };
    this.allocator.transition(one);
  }

  private convert(which: number, [from, to]: readonly [Resources, Resources]): void {
    const index = which % Math.max(1, this.held.length);
    const one = this.held[index];
    const role = one?.resources.entries[0]?.kind.allocationRole;
    if (one === undefined || one.allocated || role === undefined) return;
    const consumed = from.allocate(role);
    const total = this.totals.get(one.agentId);
    if (!one.resources.contains(consumed) || total?.contains(from) !== true) return;
    const conversions = [{ consumed, converted: to.allocate(role) }];
    this.held[index] = { ...one, resources: one.resources.subtract(consumed).add(to.allocate(role)) };
    this.totals.set(one.agentId, total.subtract(from).add(to));
    this.allocator.updateAllocation({ frameworkId: one.frameworkId, agentId: one.agentId, conversions });
  }

  private convertFree(agentId: string, [consumed, converted]: readonly [Resources, Resources]): void {
    const total = this.totals.get(agentId);
    if (!this.allocator.updateAvailable({ agentId, conversions: [{ consumed, converted }] })) return;
    expect(total!.subtract(this.heldOn(agentId)).contains(consumed), `${consumed} was free`).to.equal(true);
    this.totals.set(agentId, total!.subtract(consumed).add(converted));
  }

  private explain(id: string): void {
    const explanation = this.allocator.explain(id);
    if (explanation === undefined) return;
    for (const { reasons, role } of explanation.roles) {
      const agents = reasons.reduce((sum, reason) => sum + reason.agents, 0);
      expect(agents, `every agent once, in ${role}`).to.equal(this.totals.size);
    }
  }

  private giveBack({ which, half, refuse }: Extract<Event, { kind: "give-back" }>): void {
    if (this.held.length === 0) return;
    const [one] = this.held.splice(which % this.held.length, 1);
    const part = half
      ? one!.resources.mapEntries((entry) =>
          entry.milli > 1 && !entry.kind.indivisible ? entry.withMilli(Math.floor(entry.milli / 2)) : entry,
        )
      : one!.resources;
    const rest = one!.resources.subtract(part);
    if (!rest.isEmpty) this.held.push({ ...one!, resources: rest });
    const filters = refuse === undefined ? undefined : { refuse_seconds: refuse };
    this.allocator.recover({ ...one!, resources: part, filters });
  }
}

const counting = (bundle: Resources) =>
  bundle.entries.filter(({ kind }) => !kind.reserved && !kind.revocable);
