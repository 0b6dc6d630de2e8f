/** Something that ends at a time. The queue keeps its own marks on it. */
export interface Expiring {
  /** Monotonic milliseconds. */
  readonly expiresAt: number;
  /** Number of the bucket it is in; undefined outside of the queue. */
  bucket: number | undefined;
  /** Its place in the bucket. */
  place: number;
}

/**
 * Things by the time at which they end, in buckets one interval wide: adding and removing cost the same however many there
 * are, and nothing is left behind for one that was removed before its time.
 */
export class ExpiryQueue<T extends Expiring> {
  private readonly buckets = new Map<number, T[]>();
  /** There is nothing in the buckets before this one. */
  private first: number | undefined;

  /** @param width milliseconds */
  constructor(private readonly width: number) {}

  add(item: T): void {
    const number = Math.floor(item.expiresAt / this.width);
    this.first = Math.min(this.first ?? number, number);
    const bucket = this.buckets.get(number);
    item.bucket = number;
    item.place = bucket?.length ?? 0;
    if (bucket === undefined) this.buckets.set(number, [item]);
    else bucket.push(item);
  }

  remove(item: T): void {
    if (item.bucket === undefined) return;
    const bucket = this.buckets.get(item.bucket);
    const last = bucket?.pop();
    if (last !== undefined && last !== item) {
      bucket![item.place] = last;
      last.place = item.place;
    }
    if (bucket?.length === 0) this.buckets.delete(item.bucket);
    item.bucket = undefined;
  }

  /** Removes and returns what has ended, at most so many. */
  takeExpired(now: number, limit = Number.POSITIVE_INFINITY): T[] {
    const expired: T[] = [];
    const last = Math.floor(now / this.width);
    if (this.first === undefined) return expired;
    let number = this.first;
    for (; number <= last && expired.length < limit; number++) {
      for (const item of this.buckets.get(number) ?? []) {
        if (item.expiresAt <= now && expired.length < limit) expired.push(item);
      }
    }
    for (const item of expired) this.remove(item);
    // Everything before the bucket looked at last is gone; that one may have more.
    this.first = this.buckets.size === 0 ? undefined : Math.max(this.first, number - 1);
    return expired;
  }
}
