import type { Random } from "../../../sdk/contracts/random.js";
import { ClientTree, type TreeNode } from "./client-tree.js";
import type { Holding, Sorter } from "./sorter.js";

type Node = TreeNode<undefined>;

interface Ticket {
  readonly client: string;
  /** Its part of the whole: the product, over the levels, of its path's weight among its active siblings. */
  readonly weight: number;
}

/** A new weighted shuffle at each call: over time every client is first in proportion to its weight. */
export class RandomSorter implements Sorter {
  private readonly tree = new ClientTree<undefined>(() => undefined);
  private readonly weights = new Map<string, number>();
  private tickets: readonly Ticket[] | undefined;

  constructor(private readonly random: Random) {}

  add(client: string): void {
    this.tree.add(client);
  }

  remove(client: string): void {
    this.tree.remove(client);
    this.tickets = undefined;
  }

  has(client: string): boolean {
    return this.tree.leaf(client) !== undefined;
  }

  setActive(client: string, active: boolean): void {
    if (this.tree.setActive(client, active)) this.tickets = undefined;
  }

  allocated(_client: string, _holding: Holding): void {}

  unallocated(_client: string, _holding: Holding): void {}

  setWeight(path: string, weight: number): void {
    this.weights.set(path, weight);
    this.tickets = undefined;
  }

  order(): readonly string[] {
    if (this.tickets === undefined) {
      const tickets: Ticket[] = [];
      this.collect(this.tree.root, 1, tickets);
      this.tickets = tickets;
    }
    if (this.tickets.length < 2) return this.tickets.map(({ client }) => client);
    // Efraimidis and Spirakis: drawing without replacement by weight is sorting by log(u) / weight.
    return this.tickets
      .map(({ client, weight }) => ({ client, key: Math.log(1 - this.random.next()) / weight }))
      .sort((left, right) => right.key - left.key)
      .map(({ client }) => client);
  }

  share(): undefined {
    return undefined;
  }

  private collect(node: Node, weight: number, tickets: Ticket[]): void {
    const active = node.children.filter((child) => child.active > 0);
    const sum = active.reduce((all, child) => all + this.weightOf(child), 0);
    for (const child of active) {
      const part = (weight * this.weightOf(child)) / sum;
      if (child.isLeaf) tickets.push({ client: child.client, weight: part });
      else this.collect(child, part, tickets);
    }
  }

  private weightOf({ path }: Node): number {
    return this.weights.get(path) ?? 1;
  }
}
