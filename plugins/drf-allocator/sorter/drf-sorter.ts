import { Amounts } from "./amounts.js";
import { ClientTree, type TreeNode } from "./client-tree.js";
import type { ClusterTotals } from "./cluster-totals.js";
import type { Holding, Sorter } from "./sorter.js";

interface Standing {
  readonly amounts: Amounts;
  /** Dominant share divided by weight. */
  share: number;
  /** Active children, next in turn first; right while `orderedAt` is the version of the totals. */
  order: Node[];
  orderedAt: number;
}

type Node = TreeNode<Standing>;

const UNORDERED = -1;

/**
 * Dominant resource fairness over a tree: at each level the sibling with the least share, divided by its weight, comes first;
 * then who had fewer turns; then the name. Orders are kept between calls and repaired where something changed.
 *
 * Source: docs/roles.md and the DRF paper; tie rules of Mesos's drf sorter.
 */
export class DrfSorter implements Sorter {
  private readonly tree: ClientTree<Standing>;
  private readonly weights = new Map<string, number>();
  private flat: readonly string[] | undefined;
  private flatAt = UNORDERED;

  constructor(private readonly totals: ClusterTotals) {
    this.tree = new ClientTree(() => ({
      amounts: new Amounts(totals.names),
      share: 0,
      order: [],
      orderedAt: UNORDERED,
    }));
  }

  add(client: string): void {
    this.tree.add(client);
  }

  remove(client: string): void {
    const leaf = this.tree.leaf(client);
    if (leaf === undefined) return;
    this.disorder(leaf);
    this.tree.remove(client);
  }

  has(client: string): boolean {
    return this.tree.leaf(client) !== undefined;
  }

  setActive(client: string, active: boolean): void {
    if (this.tree.setActive(client, active)) this.disorder(this.tree.leaf(client)!);
  }

  allocated(client: string, holding: Holding): void {
    for (let node = this.tree.leaf(client); node?.parent !== undefined; node = node.parent) {
      node.data.amounts.add(holding);
      this.reposition(node, node.parent);
    }
  }

  unallocated(client: string, holding: Holding): void {
    const leaf = this.tree.leaf(client);
    if (leaf === undefined) return;
    for (let node: Node = leaf; node.parent !== undefined; node = node.parent) {
      node.data.amounts.subtract(holding);
    }
    this.disorder(leaf);
  }

  setWeight(path: string, weight: number): void {
    this.weights.set(path, weight);
    this.disorderAll(this.tree.root);
  }

  order(): readonly string[] {
    if (this.flat === undefined || this.flatAt !== this.totals.version) {
      const clients: string[] = [];
      this.collect(this.tree.root, clients);
      this.flat = clients;
      this.flatAt = this.totals.version;
    }
    return this.flat;
  }

  share(client: string): number | undefined {
    const leaf = this.tree.leaf(client);
    return leaf === undefined ? undefined : this.totals.dominantShare(leaf.data.amounts.milli);
  }

  private collect(node: Node, clients: string[]): void {
    for (const child of this.ordered(node)) {
      if (child.isLeaf) clients.push(child.client);
      else this.collect(child, clients);
    }
  }

  private ordered(node: Node): readonly Node[] {
    const { data } = node;
    if (data.orderedAt !== this.totals.version) {
      data.order = node.children.filter(({ active }) => active > 0);
      if (data.order.length > 1) {
        for (const child of data.order) child.data.share = this.weightedShare(child);
        data.order.sort(compare);
      }
      data.orderedAt = this.totals.version;
    }
    return data.order;
  }

  /** Moves a node that has grown to its place among its siblings, which are in order but for it. */
  private reposition(node: Node, parent: Node): void {
    const { order, orderedAt } = parent.data;
    if (orderedAt !== this.totals.version || node.active === 0 || order.length < 2) return;
    node.data.share = this.weightedShare(node);
    let place = order.indexOf(node);
    while (place + 1 < order.length && compare(order[place + 1]!, node) < 0) {
      order[place] = order[place + 1]!;
      order[++place] = node;
      this.flat = undefined;
    }
  }

  private weightedShare({ data, path }: Node): number {
    return this.totals.dominantShare(data.amounts.milli) / (this.weights.get(path) ?? 1);
  }

  /** The orders in which a leaf and the nodes above it stand have to be made anew. */
  private disorder(leaf: Node): void {
    for (let node = leaf.parent; node !== undefined; node = node.parent) node.data.orderedAt = UNORDERED;
    this.flat = undefined;
  }

  private disorderAll(node: Node): void {
    node.data.orderedAt = UNORDERED;
    for (const child of node.children) this.disorderAll(child);
    this.flat = undefined;
  }
}

function compare(left: Node, right: Node): number {
  if (left.data.share !== right.data.share) return left.data.share - right.data.share;
  const turns = left.data.amounts.turns - right.data.amounts.turns;
  if (turns !== 0) return turns;
  return left.path < right.path ? -1 : left.path > right.path ? 1 : 0;
}
