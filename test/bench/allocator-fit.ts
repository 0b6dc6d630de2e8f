import { type Figures, isWorst } from "./allocator-figures.js";

export interface Point {
  readonly x: number;
  readonly y: number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * The power of x that y grows with: the slope of a line through the logarithms, by Theil and Sen, so that one bad measurement does not
 * turn it. 1 is linear, 0 is independent.
 */
export function exponent(points: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [i, from] of points.entries()) {
    for (const to of points.slice(i + 1)) {
      if (from.x !== to.x) slopes.push(Math.log(to.y / from.y) / Math.log(to.x / from.x));
    }
  }
  return median(slopes);
}

/** How much of the variance of y a line through all points, in proportion to x, leaves unexplained is 1 - r2. */
export function linearFit(points: readonly Point[]): { slope: number; intercept: number; r2: number } {
  const [x, y] = [mean(points.map((point) => point.x)), mean(points.map((point) => point.y))];
  const slope =
    points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) /
    points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const intercept = y - slope * x;
  const residual = points.reduce((sum, point) => sum + (point.y - intercept - slope * point.x) ** 2, 0);
  const total = points.reduce((sum, point) => sum + (point.y - y) ** 2, 0);
  return { slope, intercept, r2: total === 0 ? 1 : 1 - residual / total };
}

/** Of several runs the median of each figure, and the largest of those that tell the worst. */
export function summary(runs: readonly Figures[]): Figures {
  const names = Object.keys(runs[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const values = runs.map((run) => run[name]!);
      return [name, isWorst(name) ? Math.max(...values) : median(values)];
    }),
  );
}

/** The median of y for each x: one bad run, or one bad number of frameworks, does not count. */
export function medians(points: readonly Point[]): Point[] {
  const byX = new Map<number, number[]>();
  for (const { x, y } of points) byX.set(x, [...(byX.get(x) ?? []), y]);
  return Array.from(byX, ([x, ys]) => ({ x, y: median(ys) }));
}
