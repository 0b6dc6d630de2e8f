import type { Random } from "../../../sdk/contracts/random.js";

/**
 * Draws numbers without replacement, each with a chance in proportion to its weight. A tree of partial sums (Fenwick's) makes a draw
 * cost the logarithm of how many there are, so that a round of which only the first few are asked for is cheap.
 */
export class Lottery {
  private readonly sums: Float64Array;
  private readonly fresh: Float64Array;
  private readonly drawn = new Set<number>();
  private readonly top: number;

  /** @param weights positive */
  constructor(private readonly weights: readonly number[]) {
    const sums = new Float64Array(weights.length + 1);
    for (let i = 1; i <= weights.length; i++) {
      sums[i] = sums[i]! + weights[i - 1]!;
      const parent = i + (i & -i);
      if (parent <= weights.length) sums[parent] = sums[parent]! + sums[i]!;
    }
    this.sums = sums;
    this.fresh = sums.slice();
    this.top = weights.length === 0 ? 0 : 2 ** Math.floor(Math.log2(weights.length));
  }

  /** Puts everything back. */
  restart(): void {
    // Restored from a copy, not by adding: rounding must not add up over the rounds.
    if (this.drawn.size * 16 > this.weights.length) this.sums.set(this.fresh);
    else for (const number of this.drawn) this.restore(number);
    this.drawn.clear();
  }

  /** Undefined when all are drawn. */
  draw(random: Random): number | undefined {
    const left = this.weights.length - this.drawn.size;
    if (left === 0) return undefined;
    const number = this.weights.length === 1 ? 0 : this.find(random.next() * this.total());
    const winner = this.drawn.has(number) ? this.firstLeft() : number;
    this.drawn.add(winner);
    for (let i = winner + 1; i < this.sums.length; i += i & -i)
      this.sums[i] = this.sums[i]! - this.weights[winner]!;
    return winner;
  }

  private restore(number: number): void {
    for (let i = number + 1; i < this.sums.length; i += i & -i) this.sums[i] = this.fresh[i]!;
  }

  private total(): number {
    let sum = 0;
    for (let i = this.weights.length; i > 0; i -= i & -i) sum += this.sums[i]!;
    return sum;
  }

  private find(point: number): number {
    let position = 0;
    let rest = point;
    for (let step = this.top; step > 0; step >>= 1) {
      const next = position + step;
      if (next < this.sums.length && this.sums[next]! <= rest) {
        position = next;
        rest -= this.sums[next]!;
      }
    }
    return Math.min(position, this.weights.length - 1);
  }

  /** Where rounding has led to one that is drawn already. */
  private firstLeft(): number {
    for (let number = 0; number < this.weights.length; number++) if (!this.drawn.has(number)) return number;
    return 0;
  }
}
