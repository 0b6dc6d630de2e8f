/** Mesos keeps at most this many values of a timer. */
const CAPACITY = 1000;

const PERCENTILES: readonly (readonly [string, number])[] = [
  ["/p50", 0.5],
  ["/p90", 0.9],
  ["/p95", 0.95],
  ["/p99", 0.99],
  ["/p999", 0.999],
  ["/p9999", 0.9999],
];

/** The most recent values of a measure, with their statistics as Mesos computes and names them. */
export class RecentValues {
  private readonly values: number[] = [];
  private next = 0;
  private latest = Number.NaN;

  add(value: number): void {
    this.latest = value;
    this.values[this.next] = value;
    this.next = (this.next + 1) % CAPACITY;
  }

  /** Suffix and value: the latest value (no suffix), and from two values on count, extremes and percentiles. */
  statistics(): [suffix: string, value: number][] {
    if (this.values.length === 0) return [];
    if (this.values.length === 1) return [["", this.latest]];
    const sorted = Float64Array.from(this.values).sort();
    return [
      ["", this.latest],
      ["/count", sorted.length],
      ["/max", sorted[sorted.length - 1]!],
      ["/min", sorted[0]!],
      ...PERCENTILES.map(([suffix, share]): [string, number] => [suffix, percentile(sorted, share)]),
    ];
  }
}

/** Linear interpolation between the two nearest ranks. */
function percentile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[below + 1] ?? low;
  return low + (position - below) * (high - low);
}
