/** Something that has a place in a ranking. */
export interface Ranked {
  readonly path: string;
  /** Where it is in the ranking's arrays; kept by the ranking. */
  slot: number;
}

const FIRST_SIZE = 4;

/**
 * Siblings by share, then by turns, then by path, least first. Shares and turns are in arrays of numbers, and one that has changed is
 * moved to its place by two binary searches and one move of memory, so that a turn costs next to nothing among thousands.
 */
export class Ranking<T extends Ranked> {
  private members: (T | undefined)[] = [];
  private shares = new Float64Array(FIRST_SIZE);
  private turns = new Float64Array(FIRST_SIZE);
  private order = new Int32Array(FIRST_SIZE);
  private count = 0;

  get size(): number {
    return this.count;
  }

  at(place: number): T {
    return this.members[this.order[place]!]!;
  }

  /** Everything anew. */
  fill(members: readonly T[], measure: (member: T) => { share: number; turns: number }): void {
    this.reserve(members.length);
    this.members = members.slice();
    this.count = members.length;
    let sorted = true;
    for (let slot = 0; slot < members.length; slot++) {
      const member = members[slot]!;
      const { share, turns } = measure(member);
      member.slot = slot;
      this.shares[slot] = share;
      this.turns[slot] = turns;
      this.order[slot] = slot;
      sorted &&= slot === 0 || this.compare(slot - 1, slot) < 0;
    }
    if (!sorted) this.order.subarray(0, this.count).sort((left, right) => this.compare(left, right));
  }

  /** Members in their present order. */
  list(): T[] {
    const list: T[] = [];
    for (let place = 0; place < this.count; place++) list.push(this.at(place));
    return list;
  }

  /** The share or the turns of a member are others now. */
  update(member: T, share: number, turns: number): void {
    const { slot } = member;
    const from = this.order[0] === slot ? 0 : this.placeOf(slot);
    this.shares[slot] = share;
    this.turns[slot] = turns;
    const { order } = this;
    if (from + 1 < this.count && this.compare(order[from + 1]!, slot) < 0) {
      const to = this.search(slot, from + 1, this.count);
      order.copyWithin(from, from + 1, to);
      order[to - 1] = slot;
    } else if (from > 0 && this.compare(slot, order[from - 1]!) < 0) {
      const to = this.search(slot, 0, from);
      order.copyWithin(to + 1, to, from);
      order[to] = slot;
    }
  }

  private placeOf(slot: number): number {
    return this.search(slot, 0, this.count);
  }

  /** The first place in the sorted part `low..high` whose member is not before this one. */
  private search(slot: number, low: number, high: number): number {
    let left = low;
    let right = high;
    while (left < right) {
      const middle = (left + right) >> 1;
      if (this.compare(this.order[middle]!, slot) < 0) left = middle + 1;
      else right = middle;
    }
    return left;
  }

  private compare(left: number, right: number): number {
    const share = this.shares[left]! - this.shares[right]!;
    if (share !== 0) return share;
    const turns = this.turns[left]! - this.turns[right]!;
    if (turns !== 0 || left === right) return turns;
    return this.members[left]!.path < this.members[right]!.path ? -1 : 1;
  }

  private reserve(size: number): void {
    if (size <= this.order.length) return;
    const length = Math.max(size, 2 * this.order.length);
    this.shares = new Float64Array(length);
    this.turns = new Float64Array(length);
    this.order = new Int32Array(length);
  }
}
