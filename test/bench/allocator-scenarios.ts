import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AGENT, BenchCluster, INTERVAL_MS } from "./allocator-cluster.js";
import type { Figures } from "./allocator-figures.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (options?: { type: "minor" }) => void;

/** What survives a second time is old. */
function collectYoungGarbage(): void {
  for (let i = 0; i < 2; i++) collectGarbage({ type: "minor" });
}

export interface Size {
  readonly agents: number;
  readonly frameworks: number;
  /** Of both sorters. */
  readonly sorter: "drf" | "random";
}

const config = ({ sorter }: Size) => ({ role_sorter: sorter, framework_sorter: sorter });

const CHANGED = 0.01;
const STEADY_CYCLES = 5;

function heapMb(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/**
 * Mesos's grid: all agents partly in use, everything else offered, declined, and offered again. The heap is looked at afterwards, in a
 * cluster of its own: to collect all garbage makes V8 shrink its young generation, which the cycle that comes next would pay for.
 */
export function grid(size: Size): Figures {
  const cluster = new BenchCluster(config(size));
  const figures = gridCycles(cluster, size);
  cluster.allocator.stop();
  const before = heapMb();
  const other = new BenchCluster(config(size));
  gridCycles(other, size);
  const heap = heapMb() - before;
  other.allocator.stop();
  return { ...figures, heap_mb: heap };
}

function gridCycles(cluster: BenchCluster, { agents, frameworks }: Size): Figures {
  const { allocator, clock } = cluster;
  const holder = (i: number): string => `framework-${i % frameworks}`;
  const add =
    cluster.time(() => cluster.addFrameworks(frameworks)) +
    cluster.time(() => {
      cluster.addAgents(agents, { holder });
      // What adding them leaves to be moved out of the young generation is its own cost, not that of the cycle after it.
      collectYoungGarbage();
    });
  const first = clock.pass(1);
  const offers = cluster.offers.length;

  let steady = 0;
  let decline = 0;
  let offered = 0;
  for (let i = 0; i < STEADY_CYCLES; i++) {
    // With one framework alone there would be nobody to offer to.
    decline += cluster.decline(frameworks === 1 ? 0 : 5);
    steady += cluster.cycle();
    offered += cluster.offers.length;
  }
  const expire = clock.pass(10 * INTERVAL_MS);
  const nothing = cluster.cycle();
  const ended = cluster.offers.slice(0, Math.ceil(agents * CHANGED));
  for (const offer of ended) allocator.recover(offer);
  const count = cluster.offers.length;
  const changed = cluster.cycle();
  const after = cluster.offers.length - count;
  return {
    add_ms: add,
    first_ms: first,
    first_us_per_offer: (first * 1000) / offers,
    steady_ms: steady / STEADY_CYCLES,
    steady_us_per_offer: (steady * 1000) / offered,
    decline_ms: decline / STEADY_CYCLES,
    filters_end_ms: expire,
    nothing_ms: nothing,
    changed_ms: changed,
    changed_offers: after,
    longest_block_ms: clock.longest,
    offers,
  };
}

/** Every framework in a role of its own; whole agents are free. */
function roles(size: Size, prepare: (cluster: BenchCluster) => void): Figures {
  const cluster = new BenchCluster(config(size));
  cluster.addFrameworks(size.frameworks, (i) => `role-${i}`);
  prepare(cluster);
  const add = cluster.time(() => cluster.addAgents(size.agents));
  const first = cluster.clock.pass(1);
  const offers = cluster.offers.length;
  cluster.decline(3600);
  const second = cluster.cycle();
  cluster.allocator.stop();
  return {
    add_ms: add,
    first_ms: first,
    first_us_per_offer: (first * 1000) / offers,
    second_ms: second,
    longest_block_ms: cluster.clock.longest,
    offers,
  };
}

export const withoutQuota = (size: Size): Figures => roles(size, () => {});

/** Each role is sure of its part of the agents, and limited to it. */
export function withQuota(size: Size): Figures {
  const share = Math.max(1, Math.floor(size.agents / size.frameworks));
  const part = new Map([...AGENT.quantities()].map(([name, milli]) => [name, milli * share]));
  return roles(size, ({ allocator }) => {
    for (let i = 0; i < size.frameworks; i++) {
      allocator.updateQuota(`role-${i}`, { guarantees: part, limits: part });
    }
  });
}

/** Agents are added one at a time, each with a run of its own. */
export function addOneByOne(size: Size): Figures {
  const share = Math.max(1, Math.floor(size.agents / size.frameworks));
  const part = new Map([...AGENT.quantities()].map(([name, milli]) => [name, milli * share]));
  const cluster = new BenchCluster(config(size));
  cluster.addFrameworks(size.frameworks, (i) => `role-${i}`);
  for (let i = 0; i < size.frameworks; i++) {
    cluster.allocator.updateQuota(`role-${i}`, { guarantees: part, limits: part });
  }
  const total = cluster.time(() => cluster.addAgents(size.agents, { each: () => cluster.clock.pass(0) }));
  cluster.allocator.stop();
  return {
    add_and_offer_ms: total,
    us_per_agent: (total * 1000) / size.agents,
    offers: cluster.offers.length,
  };
}

/** Every framework refuses everything for an hour, in as many rounds as it takes for agents to meet many filters. */
export function filters(size: Size): Figures {
  const rounds = Math.min(size.frameworks, 20);
  const before = heapMb();
  const cluster = new BenchCluster(config(size));
  cluster.addFrameworks(size.frameworks);
  cluster.addAgents(size.agents);
  cluster.clock.pass(1);
  cluster.clock.reset();
  let offers = 0;
  let decline = 0;
  let last = 0;
  for (let i = 0; i < rounds; i++) {
    decline += cluster.decline(3600);
    last = cluster.cycle();
    offers += cluster.offers.length;
  }
  const spent = cluster.clock.busy;
  const heap = heapMb() - before;
  cluster.allocator.stop();
  return {
    cycle_us_per_offer: (spent * 1000) / Math.max(1, offers),
    decline_us_per_offer: (decline * 1000) / Math.max(1, offers),
    last_cycle_ms: last,
    longest_block_ms: cluster.clock.longest,
    heap_mb: heap,
    offers,
  };
}

/** A thousand frameworks revive, each with a run of its own, while all is offered; and again while all is free and refused. */
export function revives(size: Size): Figures {
  const cluster = new BenchCluster(config(size));
  cluster.addFrameworks(size.frameworks);
  cluster.addAgents(size.agents);
  cluster.clock.pass(1);
  const { allocator, clock } = cluster;
  const reviveAll = (): number =>
    cluster.time(() => {
      for (let i = 0; i < size.frameworks; i++) {
        allocator.revive(`framework-${i}`, []);
        clock.pass(0);
      }
    });
  const allOffered = reviveAll();
  const { longest } = clock;
  const merged = cluster.time(() => {
    for (let i = 0; i < size.frameworks; i++) allocator.revive(`framework-${i}`, []);
    clock.pass(0);
  });
  allocator.stop();
  return { revives_ms: allOffered, merged_ms: merged, longest_block_ms: longest };
}

/** So much of the changes of one cycle that a look at the clock costs nothing beside it. */
const CHANGE_CYCLES = 20;

/** A cycle after so many agents have changed, in a cluster of this size of which all else is offered. */
export function changes({ changed, ...size }: Size & { readonly changed: number }): Figures {
  const cluster = new BenchCluster(config(size));
  cluster.addFrameworks(size.frameworks);
  cluster.addAgents(size.agents);
  const { allocator, clock } = cluster;
  clock.pass(1);
  let cycle = 0;
  for (let i = 0; i < CHANGE_CYCLES; i++) {
    for (const offer of cluster.offers.splice(0, changed)) allocator.recover(offer);
    cycle += cluster.cycle();
  }
  allocator.stop();
  return { changed, cycle_ms: cycle / CHANGE_CYCLES, longest_block_ms: clock.longest };
}
