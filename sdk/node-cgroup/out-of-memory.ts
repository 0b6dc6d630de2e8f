import type { OutOfMemory } from "./controls.js";
import type { GroupServices } from "./group-services.js";
import type { Watch, WatchHandler } from "./helper/helper.js";

export interface OutOfMemoryWatch {
  readonly directory: string;
  readonly services: GroupServices;
  /** Begins to tell of events that may mean that memory ran out. */
  subscribe(handler: WatchHandler): Watch;
  /** Whether it did; `told` when an event came, otherwise it is asked for what was before. Throws when the group is gone. */
  look(told: boolean): OutOfMemory | undefined;
  /** For counts that lag behind the events: milliseconds after which to ask once more for what was before. */
  readonly lagMs?: number;
}

/** The first time that memory runs out, be it before the watch. */
export function firstOutOfMemory(watch: OutOfMemoryWatch, signal: AbortSignal): Promise<OutOfMemory> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const toDispose: Disposable[] = [];
    const end = (): void => {
      signal.removeEventListener("abort", abort);
      for (const one of toDispose.splice(0)) one[Symbol.dispose]();
    };
    const fail = (reason: unknown): void => {
      end();
      reject(reason);
    };
    const abort = (): void => fail(signal.reason);
    const look = (told: boolean): void => {
      try {
        const found = watch.look(told);
        if (found === undefined) return;
        end();
        resolve(found);
      } catch (error) {
        fail(error);
      }
    };
    signal.addEventListener("abort", abort);
    toDispose.push(watch.services.removals.add(watch.directory, fail));
    try {
      const subscription = watch.subscribe({ happened: () => look(true), lost: fail });
      toDispose.push(subscription);
      // What happened before the watch began is not told.
      subscription.ready.then(() => {
        look(false);
        if (watch.lagMs !== undefined && toDispose.length > 0)
          toDispose.push(later(watch.lagMs, () => look(false)));
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}

function later(ms: number, act: () => void): Disposable {
  const timer = setTimeout(act, ms).unref();
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
