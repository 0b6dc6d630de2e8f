import { readFile } from "node:fs/promises";
import { EtcdStore } from "../../plugins/etcd-registry/etcd-store.js";
import { ZooKeeperStore } from "../../plugins/zookeeper-registry/zookeeper-store.js";
import { Registry } from "../../proto/gen/mesos/internal/registry.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../sdk/contracts/system-random.js";
import { messageOf } from "../../sdk/errors/index.js";
import {
  describeEtcdUrl,
  EtcdClient,
  type EtcdTlsFiles,
  isEtcdUrl,
  parseEtcdUrl,
} from "../../sdk/etcd/index.js";
import {
  encodeRecords,
  type FencedStore,
  REGISTRY_NODE,
  type RegistryFacts,
  replay,
  SharedLog,
  stateOf,
  UnreadableLogError,
  withTimeout,
} from "../../sdk/registry/index.js";
import {
  CREATOR_ACCESS,
  describeUrl,
  isZooKeeperUrl,
  OPEN_ACCESS,
  PRIVATE_ACCESS,
  parseZooKeeperUrl,
  ZooKeeperClient,
} from "../../sdk/zookeeper/index.js";
import { NO_LOG } from "../daemon.js";
import { LineLogger } from "../log.js";
import { isMasterUrl, runningMaster } from "./running-master.js";

const SESSION_TIMEOUT_MS = 10_000;

export interface PlaceOptions {
  /** Milliseconds that the servers may take for each step. */
  readonly timeout: number;
  readonly tls?: EtcdTlsFiles;
}

/** There is a registry, and it cannot be read. */
export class UnreadablePlaceError extends Error {
  override readonly name = "UnreadablePlaceError";
}

/** A registry that several masters share. */
export interface SharedPlace {
  /** Without credentials. */
  readonly url: string;
  /**
   * The current content; masters keep running. Undefined: nobody has used it yet. Rejects with UnreadablePlaceError if the content is
   * damaged.
   */
  peek(): Promise<RegistryFacts | undefined>;
  /** Replaces the content, readable or not, with these facts, and fences off the leading master. */
  replace(facts: RegistryFacts): Promise<void>;
  close(): Promise<void>;
}

/**
 * A directory, or the registry behind a URL. `http://` means the registry of a running master; `file:///path` names a file that contains
 * the URL. Throws TepuiError for an invalid URL.
 */
export async function placeOf(text: string, options: PlaceOptions): Promise<SharedPlace | string> {
  const place = text.startsWith("file://")
    ? (await readFile(text.slice("file://".length), "utf8")).trim()
    : text;
  if (isZooKeeperUrl(place)) return inZooKeeper(place, options);
  if (isEtcdUrl(place)) return inEtcd(place, options);
  if (isMasterUrl(place)) return runningMaster(place, options.timeout);
  const scheme = /^([a-z0-9+.-]+:\/\/)/i.exec(place);
  if (scheme !== null)
    throw new Error(
      `${scheme[1]} is none of zk://, etcd://, etcds://, http://, https://, file://, or a directory`,
    );
  return place;
}

function inZooKeeper(text: string, { timeout }: PlaceOptions): SharedPlace {
  const url = parseZooKeeperUrl(text);
  const { credentials, path } = url;
  const node = `${path}/${REGISTRY_NODE}`;
  const client = new ZooKeeperClient({
    ...url,
    sessionTimeout: SESSION_TIMEOUT_MS,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: new LineLogger(NO_LOG, { least: "error" }),
  });
  client.start();
  const secret = credentials !== undefined;
  const store = () =>
    new ZooKeeperStore({ client, path: node, access: secret ? PRIVATE_ACCESS : OPEN_ACCESS });
  return shared({
    url: describeUrl(url),
    store,
    timeout,
    // With the access list that the election would use, so that tools find the leader there.
    prepare: () => client.createPath(path, secret ? CREATOR_ACCESS : OPEN_ACCESS),
    close: () => client.close(),
  });
}

function inEtcd(text: string, { timeout, tls }: PlaceOptions): SharedPlace {
  const url = parseEtcdUrl(text);
  const clock = new SystemClock();
  const client = new EtcdClient({ ...url, tls, clock });
  return shared({
    url: describeEtcdUrl(url),
    store: () => new EtcdStore({ client, path: `${url.path}/${REGISTRY_NODE}`, clock }),
    timeout,
    prepare: async () => {},
    close: () => client.close(),
  });
}

function shared(options: {
  url: string;
  store: () => FencedStore;
  timeout: number;
  prepare: () => Promise<void>;
  close: () => Promise<void>;
}): SharedPlace {
  const { url, timeout, prepare } = options;
  const clock = new SystemClock();
  const store = options.store();
  const log = new SharedLog(store, new SystemRandom());
  const within = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await withTimeout({ clock, ms: timeout, work, by: store.engine });
    } catch (error) {
      throw new Error(`${url}: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    url,
    peek: async () => {
      const stored = await within(log.peek().catch(unreadable));
      if (stored instanceof UnreadableLogError) throw new UnreadablePlaceError(`${url}: ${stored.message}`);
      try {
        return stored && replay(stored);
      } catch (cause) {
        throw new UnreadablePlaceError(`${url}: ${messageOf(cause)}`, { cause });
      }
    },
    replace: async (facts) => {
      await within(store.persist(prepare));
      const opened = await within(log.open().catch(unreadable));
      const snapshot = encodeFacts(facts);
      await within(opened instanceof UnreadableLogError ? log.overwrite(snapshot) : log.replace(snapshot));
    },
    close: async () => {
      log.close();
      await options.close();
    },
  };
}

function unreadable(error: unknown): UnreadableLogError {
  if (error instanceof UnreadableLogError) return error;
  throw error;
}

/** One record that contains everything. */
export const encodeFacts = (facts: RegistryFacts): Buffer =>
  Buffer.concat(encodeRecords([{ kind: "snapshot", state: stateOf(facts) }]));

/** Empty except for the name of the last leader. */
export const isEmpty = (facts: RegistryFacts): boolean =>
  Registry.encode({ ...stateOf(facts), master: undefined }).finish().length === 0;
