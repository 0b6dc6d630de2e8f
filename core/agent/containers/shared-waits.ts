import { TepuiError } from "../../../sdk/errors/index.js";

interface Waiter<T> {
  resolve(result: T | undefined): void;
  reject(error: unknown): void;
}

/** Lets many callers wait for the same event and leave early. A plain promise would keep them all in memory until it settles. */
export class SharedWaits<T> {
  private readonly waits = new Map<string, Set<Waiter<T>>>();

  /**
   * @param begin called if nobody is waiting for this yet
   * @param left aborted when the caller leaves; it then rejects with TEPUI_CLIENT_GONE
   */
  join(
    name: string,
    begin: () => Promise<T | undefined> | undefined,
    left?: AbortSignal,
  ): Promise<T | undefined> {
    if (left?.aborted === true) return Promise.reject(new TepuiError("TEPUI_CLIENT_GONE"));
    return new Promise((resolve, reject) => {
      const waiters = this.waits.get(name) ?? this.begin(name, begin);
      const leave = (): void => {
        waiters.delete(waiter);
        reject(new TepuiError("TEPUI_CLIENT_GONE"));
      };
      const waiter: Waiter<T> = {
        resolve: (result) => {
          left?.removeEventListener("abort", leave);
          resolve(result);
        },
        reject,
      };
      waiters.add(waiter);
      left?.addEventListener("abort", leave, { once: true });
    });
  }

  /** How many callers are waiting. */
  count(name: string): number {
    return this.waits.get(name)?.size ?? 0;
  }

  private begin(name: string, begin: () => Promise<T | undefined> | undefined): Set<Waiter<T>> {
    const waiters = new Set<Waiter<T>>();
    this.waits.set(name, waiters);
    const over = (tell: (waiter: Waiter<T>) => void): void => {
      if (this.waits.get(name) === waiters) this.waits.delete(name);
      for (const waiter of waiters) tell(waiter);
    };
    Promise.resolve(begin()).then(
      (result) => over((waiter) => waiter.resolve(result)),
      (error: unknown) => over((waiter) => waiter.reject(error)),
    );
    return waiters;
  }
}
