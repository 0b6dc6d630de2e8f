import type { Random } from "../../../sdk/contracts/random.js";
import { Lottery } from "./lottery.js";
import { type PathNode, PathTree } from "./path-tree.js";
import type { Seat, Sorter } from "./sorter.js";

type Node<C> = PathNode<C, undefined>;

/**
 * A new weighted shuffle in each round: over time every client is first in proportion to its weight. A client's part of the whole is
 * the product, over the levels, of its path's weight among its active siblings.
 */
export class RandomSorter<C> implements Sorter<C> {
  private readonly tree: PathTree<C, undefined>;
  private readonly weights = new Map<string, number>();
  private clients: C[] = [];
  private lottery: Lottery | undefined;

  constructor(private readonly random: Random) {
    this.tree = new PathTree<C, undefined>({
      makeData: () => undefined,
      copyData: () => {},
      changed: () => {
        this.lottery = undefined;
      },
    });
  }

  add(path: string, client: C): Seat {
    const ticket = this.tree.add(path, client);
    return {
      setActive: (active) => {
        if (this.tree.setActive(ticket, active)) this.lottery = undefined;
      },
      allocated: () => {},
      unallocated: () => {},
      remove: () => {
        this.tree.remove(ticket);
        this.lottery = undefined;
      },
      share: () => undefined,
    };
  }

  setWeight(path: string, weight: number): void {
    this.weights.set(path, weight);
    this.lottery = undefined;
  }

  weight(path: string): number {
    return this.weights.get(path) ?? 1;
  }

  rewind(): void {
    if (this.lottery === undefined) {
      this.clients = [];
      const parts: number[] = [];
      this.collect(this.tree.root, 1, parts);
      this.lottery = new Lottery(parts);
    }
    this.lottery.restart();
  }

  next(): C | undefined {
    const winner = this.lottery?.draw(this.random);
    return winner === undefined ? undefined : this.clients[winner];
  }

  private collect(node: Node<C>, part: number, parts: number[]): void {
    const active = node.children.filter((child) => child.active > 0);
    const sum = active.reduce((all, child) => all + this.weight(child.path), 0);
    for (const child of active) {
      const own = (part * this.weight(child.path)) / sum;
      if (child.ticket === undefined) {
        this.collect(child, own, parts);
        continue;
      }
      this.clients.push(child.ticket.client);
      parts.push(own);
    }
  }
}
