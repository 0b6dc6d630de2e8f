/** What a scripted daemon streams: events as a test puts them in, until an end or an error. */
export class EventQueue<E> {
  private readonly queue: (E | Error | "end")[] = [];
  private wake: (() => void) | undefined;

  put(item: E | Error | "end"): void {
    this.queue.push(item);
    this.wake?.();
  }

  async *read(): AsyncGenerator<E> {
    for (;;) {
      const item = this.queue.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      } else if (item === "end") return;
      else if (item instanceof Error) throw item;
      else yield item;
    }
  }
}
