import { Amounts } from "./amounts.js";
import type { ClusterTotals } from "./cluster-totals.js";
import { type PathNode, PathTree, type Ticket } from "./path-tree.js";
import { type Ranked, Ranking } from "./ranking.js";
import type { Holding, Seat, Sorter } from "./sorter.js";

const UNORDERED = -1;

class Standing<C> {
  readonly amounts: Amounts;
  /** The active children, which is right while `rankedAt` is the version of the totals. */
  readonly ranking = new Ranking<Rank<C>>();
  rankedAt = UNORDERED;
  rank: Rank<C> | undefined;
  /** The round in which it had its turn. */
  round = 0;

  constructor(totals: ClusterTotals) {
    this.amounts = new Amounts(totals.names);
  }
}

type Node<C> = PathNode<C, Standing<C>>;

class Rank<C> implements Ranked {
  slot = 0;

  constructor(readonly node: Node<C>) {}

  get path(): string {
    return this.node.path;
  }
}

/**
 * Dominant resource fairness over a tree: at each level the sibling with the least share, divided by its weight, comes first;
 * then who had fewer turns; then the name. Orders are kept between rounds and repaired where something changed.
 *
 * Source: docs/roles.md of Mesos and the DRF paper; tie rules of Mesos's drf sorter.
 */
export class DrfSorter<C> implements Sorter<C> {
  private readonly tree: PathTree<C, Standing<C>>;
  private readonly weights = new Map<string, number>();
  private round = 0;
  /** The way from the root to where the round is, so deep: nodes, and the place in the ranking of each. What is beyond is of another round. */
  private readonly way: Node<C>[] = [];
  private readonly places: number[] = [];
  private depth = 0;

  constructor(private readonly totals: ClusterTotals) {
    this.tree = new PathTree({
      makeData: () => new Standing<C>(totals),
      copyData: (from, to) => to.amounts.copyFrom(from.amounts),
      changed: ({ data }) => {
        data.rankedAt = UNORDERED;
      },
    });
  }

  add(path: string, client: C): Seat {
    const ticket = this.tree.add(path, client);
    return {
      setActive: (active) => {
        this.tree.setActive(ticket, active);
      },
      allocated: (holding) => this.allocated(ticket, holding),
      unallocated: (holding) => this.unallocated(ticket, holding),
      remove: () => this.tree.remove(ticket),
      share: () => this.totals.dominantShare(ticket.node.data.amounts.milli),
    };
  }

  setWeight(path: string, weight: number): void {
    this.weights.set(path, weight);
    this.disorder(this.tree.root);
  }

  weight(path: string): number {
    return this.weights.get(path) ?? 1;
  }

  rewind(): void {
    this.round++;
    this.depth = 0;
    this.way[0] = this.tree.root;
    this.places[0] = 0;
    this.rank(this.tree.root);
  }

  next(): C | undefined {
    while (this.depth >= 0) {
      const { ranking } = this.way[this.depth]!.data;
      let place = this.places[this.depth]!;
      // Who had its turn has grown, and may stand further back by now; the others have moved up.
      while (place < ranking.size && ranking.at(place).node.data.round === this.round) place++;
      this.places[this.depth] = place;
      if (place === ranking.size) {
        this.depth--;
        continue;
      }
      const { node } = ranking.at(place);
      node.data.round = this.round;
      if (node.ticket !== undefined) return node.ticket.client;
      this.rank(node);
      this.depth++;
      this.way[this.depth] = node;
      this.places[this.depth] = 0;
    }
    return undefined;
  }

  private allocated({ node }: Ticket<C, Standing<C>>, holding: Holding): void {
    for (let one: Node<C> = node; one.parent !== undefined; one = one.parent) {
      one.data.amounts.add(holding);
      this.reposition(one, one.parent);
    }
  }

  private unallocated({ node }: Ticket<C, Standing<C>>, holding: Holding): void {
    for (let one: Node<C> = node; one.parent !== undefined; one = one.parent) {
      one.data.amounts.subtract(holding);
      this.reposition(one, one.parent);
    }
  }

  private reposition(node: Node<C>, parent: Node<C>): void {
    const { ranking, rankedAt } = parent.data;
    const { rank, amounts } = node.data;
    if (rankedAt !== this.totals.version || node.active === 0 || rank === undefined || ranking.size < 2)
      return;
    ranking.update(rank, this.weightedShare(node), amounts.turns);
  }

  private rank(node: Node<C>): void {
    const { data } = node;
    if (data.rankedAt === this.totals.version) return;
    // When only the cluster's totals have changed, the order is nearly right as it is.
    const ranks = data.rankedAt === UNORDERED ? activeChildren(node) : data.ranking.list();
    data.ranking.fill(ranks, (one) => ({
      share: this.weightedShare(one.node),
      turns: one.node.data.amounts.turns,
    }));
    data.rankedAt = this.totals.version;
  }

  private weightedShare({ data, path }: Node<C>): number {
    return this.totals.dominantShare(data.amounts.milli) / this.weight(path);
  }

  private disorder(node: Node<C>): void {
    node.data.rankedAt = UNORDERED;
    for (const child of node.children) this.disorder(child);
  }
}

function activeChildren<C>({ children }: Node<C>): Rank<C>[] {
  const ranks: Rank<C>[] = [];
  for (const child of children) {
    if (child.active === 0) continue;
    child.data.rank ??= new Rank(child);
    ranks.push(child.data.rank);
  }
  return ranks;
}
