import { expect } from "chai";
import { ClusterTotals } from "../../../plugins/drf-allocator/sorter/cluster-totals.js";
import { DrfSorter } from "../../../plugins/drf-allocator/sorter/drf-sorter.js";
import { RandomSorter } from "../../../plugins/drf-allocator/sorter/random-sorter.js";
import {
  type Holding,
  roundOf,
  type Seat,
  type Sorter,
} from "../../../plugins/drf-allocator/sorter/sorter.js";
import { parseResources, type Resources } from "../../../sdk/resources/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";

function resources(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** A sorter whose clients are their own paths. */
class Table {
  private readonly seats = new Map<string, Seat>();

  constructor(readonly sorter: Sorter<string>) {}

  add(client: string): void {
    this.seats.set(client, this.sorter.add(client, client));
    this.setActive(client, true);
  }

  remove(client: string): void {
    this.seats.get(client)!.remove();
    this.seats.delete(client);
  }

  setActive(client: string, active: boolean): void {
    this.seats.get(client)!.setActive(active);
  }

  setWeight(path: string, weight: number): void {
    this.sorter.setWeight(path, weight);
  }

  allocated(client: string, holding: Holding): void {
    this.seats.get(client)!.allocated(holding);
  }

  unallocated(client: string, holding: Holding): void {
    this.seats.get(client)!.unallocated(holding);
  }

  order(): string[] {
    return roundOf(this.sorter);
  }

  share(client: string): number | undefined {
    return this.seats.get(client)!.share();
  }
}

function drf(options: { total: string; clients: readonly string[]; excluded?: readonly string[] }) {
  const totals = new ClusterTotals(new Set(options.excluded ?? []));
  totals.add(resources(options.total).quantities());
  const sorter = new Table(new DrfSorter<string>(totals));
  for (const client of options.clients) sorter.add(client);
  const hold = (client: string, text: string, agentId = "a"): void =>
    sorter.allocated(client, { agentId, measure: totals.names.measure(resources(text)) });
  const free = (client: string, text: string, agentId = "a"): void =>
    sorter.unallocated(client, { agentId, measure: totals.names.measure(resources(text)) });
  return { sorter, totals, hold, free };
}

describe("drf sorter", () => {
  it("puts the least dominant share first: the example of the paper", () => {
    const { sorter, hold } = drf({ total: "cpus:9;mem:18", clients: ["a", "b"] });
    const turns: string[] = [];
    for (let i = 0; i < 5; i++) {
      const next = sorter.order()[0]!;
      turns.push(next);
      hold(next, next === "a" ? "cpus:1;mem:4" : "cpus:3;mem:1");
    }
    expect(turns.filter((client) => client === "a")).to.have.length(3);
    expect(sorter.share("a")).to.be.closeTo(12 / 18, 1e-12);
    expect(sorter.share("b")).to.be.closeTo(6 / 9, 1e-12);
  });

  it("breaks ties by the number of turns, then by name", () => {
    const { sorter, hold, free } = drf({ total: "cpus:10", clients: ["c", "b", "a"] });
    expect(sorter.order()).to.deep.equal(["a", "b", "c"]);
    hold("a", "cpus:1");
    free("a", "cpus:1");
    expect(sorter.order()).to.deep.equal(["b", "c", "a"]);
  });

  it("divides shares by weights", () => {
    const { sorter, hold } = drf({ total: "cpus:10", clients: ["a", "b"] });
    sorter.setWeight("a", 4);
    hold("a", "cpus:3");
    hold("b", "cpus:1");
    expect(sorter.order()).to.deep.equal(["a", "b"]);
  });

  it("lets siblings compete with their whole subtrees, and a role with its own sub-roles", () => {
    const { sorter, hold } = drf({ total: "cpus:100", clients: ["a", "a/x", "a/y", "b"] });
    hold("a/x", "cpus:10");
    hold("b", "cpus:5");
    expect(sorter.order()).to.deep.equal(["b", "a", "a/y", "a/x"]);
    hold("a", "cpus:20");
    expect(sorter.order()).to.deep.equal(["b", "a/y", "a/x", "a"]);
  });

  it("gives the weight of a role to its subtree, not to its own frameworks", () => {
    const { sorter, hold } = drf({ total: "cpus:100", clients: ["a", "a/x"] });
    sorter.setWeight("a", 100);
    hold("a", "cpus:2");
    hold("a/x", "cpus:1");
    expect(sorter.order()).to.deep.equal(["a/x", "a"]);
  });

  it("leaves out inactive clients, and branches without active ones", () => {
    const { sorter } = drf({ total: "cpus:1", clients: ["a/x", "b"] });
    sorter.setActive("a/x", false);
    expect(sorter.order()).to.deep.equal(["b"]);
    sorter.remove("b");
    expect(sorter.order()).to.deep.equal([]);
    sorter.setActive("a/x", true);
    expect(sorter.order()).to.deep.equal(["a/x"]);
  });

  it("does not count excluded resources, and follows the cluster's total", () => {
    const { sorter, totals, hold } = drf({
      total: "cpus:10;gpus:2",
      clients: ["a", "b"],
      excluded: ["gpus"],
    });
    hold("a", "gpus:2;cpus:1");
    hold("b", "cpus:2");
    expect(sorter.order()).to.deep.equal(["a", "b"]);
    totals.add(resources("mem:100").quantities());
    hold("a", "mem:50");
    expect(sorter.order()).to.deep.equal(["b", "a"]);
    totals.add(resources("mem:900").quantities());
    expect(sorter.order()).to.deep.equal(["a", "b"]);
  });

  it("counts a shared resource once on each agent, however often it is held", () => {
    const { sorter, totals } = drf({ total: "disk:10", clients: ["a"] });
    totals.add(resources("disk:10").quantities());
    const volume = resources("disk:5").mapEntries((entry) =>
      entry.withKind(entry.kind.with({ disk: { persistence: { id: "v" } }, shared: true })),
    );
    const holdOn = (agentId: string): void =>
      sorter.allocated("a", { agentId, measure: totals.names.measure(volume) });
    holdOn("one");
    holdOn("one");
    expect(sorter.share("a")).to.equal(0.25);
    holdOn("two");
    expect(sorter.share("a")).to.equal(0.5);
    sorter.unallocated("a", { agentId: "one", measure: totals.names.measure(volume) });
    expect(sorter.share("a")).to.equal(0.5);
    sorter.unallocated("a", { agentId: "one", measure: totals.names.measure(volume) });
    expect(sorter.share("a")).to.equal(0.25);
  });

  it("keeps the order that it would make anew", () => {
    const random = new SeededRandom(3);
    const clients = Array.from({ length: 12 }, (_, i) => (i % 3 === 0 ? `r${i}` : `r${i - (i % 3)}/s${i}`));
    const { sorter, totals, hold, free } = drf({ total: "cpus:1000;mem:1000", clients });
    const held: [string, string][] = [];
    for (let step = 0; step < 400; step++) {
      const client = clients[Math.floor(random.next() * clients.length)]!;
      if (random.next() < 0.6 || held.length === 0) {
        const text = `cpus:${1 + Math.floor(random.next() * 5)};mem:${1 + Math.floor(random.next() * 5)}`;
        hold(client, text);
        held.push([client, text]);
      } else free(...held.splice(Math.floor(random.next() * held.length), 1)[0]!);
      const kept = [...sorter.order()];
      totals.version++;
      expect(sorter.order()).to.deep.equal(kept);
    }
  });
});

describe("random sorter", () => {
  it("puts clients first in proportion to their weights, over the levels of the tree", () => {
    const sorter = new Table(new RandomSorter<string>(new SeededRandom(5)));
    for (const client of ["a/x", "a/y", "b"]) sorter.add(client);
    sorter.setWeight("a", 3);
    sorter.setWeight("a/x", 2);
    const first = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const client = sorter.order()[0]!;
      first.set(client, (first.get(client) ?? 0) + 1);
    }
    expect(first.get("a/x")).to.be.closeTo(3000, 200);
    expect(first.get("a/y")).to.be.closeTo(1500, 200);
    expect(first.get("b")).to.be.closeTo(1500, 200);
  });

  it("lists every active client once", () => {
    const sorter = new Table(new RandomSorter<string>(new SeededRandom(5)));
    for (const client of ["a", "a/x", "b", "c"]) sorter.add(client);
    sorter.setActive("b", false);
    expect([...sorter.order()].sort()).to.deep.equal(["a", "a/x", "c"]);
  });
});
