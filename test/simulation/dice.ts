import type { SeededRandom } from "../../sdk/testing/seeded-random.js";

/** Randomness in the forms that a simulation needs. */
export class Dice {
  constructor(private readonly random: SeededRandom) {}

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  /** An integer from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.random.next() * count);
  }

  between(least: number, most: number): number {
    return least + this.random.next() * (most - least);
  }

  /** Usually small, occasionally a multiple of the mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.random.next());
  }

  pick<T>(values: readonly T[]): T | undefined {
    return values[this.below(values.length)];
  }

  /** One of the names, with probabilities according to the weights. */
  weighted<N extends string>(weights: Readonly<Partial<Record<N, number>>>): N {
    const entries = Object.entries(weights) as [N, number][];
    let left = this.random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    return entries.at(-1)![0];
  }
}
