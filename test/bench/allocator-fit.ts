export interface Fit {
  readonly slope: number;
  readonly intercept: number;
  /** 1 where the points are on a line. */
  readonly r2: number;
}

/** Least squares. */
export function linearFit(points: readonly { readonly x: number; readonly y: number }[]): Fit {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((point) => point.x));
  const y = mean(points.map((point) => point.y));
  const slope =
    points.reduce((sum, point) => sum + (point.x - x) * (point.y - y), 0) /
    points.reduce((sum, point) => sum + (point.x - x) ** 2, 0);
  const intercept = y - slope * x;
  const residual = points.reduce((sum, point) => sum + (point.y - intercept - slope * point.x) ** 2, 0);
  const total = points.reduce((sum, point) => sum + (point.y - y) ** 2, 0);
  return { slope, intercept, r2: total === 0 ? 1 : 1 - residual / total };
}
