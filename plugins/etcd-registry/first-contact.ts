import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { isEtcdError } from "../../sdk/etcd/index.js";
import type { FencedStore } from "../../sdk/registry/index.js";

export interface FirstContactOptions {
  readonly store: FencedStore;
  /** Without credentials, for errors. */
  readonly url: string;
  /** Milliseconds; 0: no limit. */
  readonly limit: number;
  readonly clock: Clock;
  /** Aborted when nobody is waiting any more. */
  readonly signal?: AbortSignal;
}

/**
 * Resolves when a majority of the servers agree on the registry's head and let this process read it. Rejects with TEPUI_ETCD_UNREACHABLE
 * after the limit or when aborted, and at once with TEPUI_ETCD_REFUSED.
 */
export async function firstContact(options: FirstContactOptions): Promise<void> {
  const { store, url, limit, clock, signal } = options;
  let last: unknown;
  let timer: Timer | undefined;
  let stop: (() => void) | undefined;
  const over = new Promise<never>((_, reject) => {
    const end = (how: string): void => {
      const why = last === undefined ? "" : `; at last: ${messageOf(last)}`;
      reject(new TepuiError("TEPUI_ETCD_UNREACHABLE", { detail: `${url}: ${how}${why}` }));
    };
    if (limit > 0) timer = clock.setTimeout(() => end(`no answer within ${limit} ms`), limit);
    stop = () => end("stopped");
    signal?.addEventListener("abort", stop);
    if (signal?.aborted === true) stop();
  });
  const contact = store.persist(async () => {
    try {
      await store.readHead();
    } catch (error) {
      last = error;
      throw error;
    }
  });
  try {
    await Promise.race([contact, over]);
  } catch (error) {
    if (error instanceof TepuiError) throw error;
    const code = isEtcdError(error, "refused") ? "TEPUI_ETCD_REFUSED" : "TEPUI_ETCD_UNREACHABLE";
    throw new TepuiError(code, { detail: `${url}: ${messageOf(error)}`, cause: error });
  } finally {
    timer?.cancel();
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
    // The attempt may outlive the limit; this ends it.
    store.close();
    contact.catch(() => undefined);
  }
}
