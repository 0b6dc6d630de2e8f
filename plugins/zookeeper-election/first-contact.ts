import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Random } from "../../sdk/contracts/random.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { type AccessEntry, isZooKeeperError, type ZooKeeperClient } from "../../sdk/zookeeper/index.js";

export interface FirstContactOptions {
  readonly client: ZooKeeperClient;
  readonly path: string;
  readonly access: readonly AccessEntry[];
  /** Without credentials, for errors. */
  readonly url: string;
  /** Milliseconds; 0: no limit. */
  readonly limit: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted when nobody is waiting any more. */
  readonly signal?: AbortSignal;
}

/**
 * Resolves when the ensemble serves and lets this process stand for election. Rejects with TEPUI_ZOOKEEPER_UNREACHABLE after the limit or
 * when aborted, and at once with TEPUI_ZOOKEEPER_REFUSED.
 */
export async function firstContact(options: FirstContactOptions): Promise<void> {
  const { client, clock, limit, url, signal } = options;
  let unlisten: (() => void) | undefined;
  let stop: (() => void) | undefined;
  let timer: Timer | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      let last = "";
      const attempt = (): void => {
        tryNodes(options).then(resolve, (error: unknown) => {
          if (!isZooKeeperError(error, "connection-loss", "session-expired")) reject(refusal(url, error));
          // Any other error: the next connection tries again.
        });
      };
      const disconnected = (reason: string): void => {
        last = `; the last connection: ${reason}`;
      };
      unlisten = client.listen({ connected: attempt, disconnected });
      if (limit > 0) {
        timer = clock.setTimeout(() => {
          const detail = `${url}: no session within ${limit} ms${last}`;
          reject(new TepuiError("TEPUI_ZOOKEEPER_UNREACHABLE", { detail }));
        }, limit);
      }
      stop = () =>
        reject(new TepuiError("TEPUI_ZOOKEEPER_UNREACHABLE", { detail: `${url}: stopped${last}` }));
      signal?.addEventListener("abort", stop);
      if (signal?.aborted === true) stop();
      else if (client.connected) attempt();
    });
  } finally {
    unlisten?.();
    timer?.cancel();
    if (stop !== undefined) signal?.removeEventListener("abort", stop);
  }
}

/** Creates the path, and a child node that the same transaction deletes again: nobody sees it, but the permission has been tested. */
async function tryNodes({ client, path, access, random }: FirstContactOptions): Promise<void> {
  await client.createPath(path, access);
  const probe = `${path}/tepui-${random.uuid()}`;
  await client.multi([
    { kind: "create", path: probe, data: Buffer.alloc(0), access, ephemeral: true },
    { kind: "delete", path: probe },
  ]);
}

function refusal(url: string, error: unknown): TepuiError {
  return new TepuiError("TEPUI_ZOOKEEPER_REFUSED", { detail: `${url}: ${messageOf(error)}`, cause: error });
}
