/** The most recent items, oldest first; when it is full, adding an item drops the oldest. A capacity of zero keeps nothing. */
export class History<T> implements Iterable<T> {
  private items: T[] = [];
  /** Index of the oldest item, once the history is full. */
  private head = 0;

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.items.length;
  }

  add(item: T): void {
    if (this.capacity === 0) return;
    if (this.items.length < this.capacity) {
      this.items.push(item);
      return;
    }
    this.items[this.head] = item;
    this.head = (this.head + 1) % this.capacity;
  }

  /** Drops the items for which `unwanted` holds. */
  remove(unwanted: (item: T) => boolean): void {
    if (!this.items.some(unwanted)) return;
    this.items = [...this].filter((item) => !unwanted(item));
    this.head = 0;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.items.length; i++) {
      yield this.items[(this.head + i) % this.items.length]!;
    }
  }
}
