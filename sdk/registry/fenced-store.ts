/** A value and the version that the store gave it with its last change. */
export interface Versioned {
  readonly data: Buffer;
  readonly version: bigint;
}

/** A change of the head, and a value that comes into being with it. */
export interface FencedChange {
  readonly head: Buffer;
  /** The head's, as the writer knows it. */
  readonly version: bigint;
  readonly entry?: NamedValue;
}

export interface NamedValue {
  readonly name: string;
  readonly data: Buffer;
}

/**
 * What a shared log needs of an engine (ZooKeeper, etcd): named values of up to 1 MB, and one of them, the head, that can only be
 * changed by who knows its version. All of it decided by the engine's majority.
 */
export interface FencedStore {
  readonly engine: string;
  /** Undefined: there is none. */
  readHead(): Promise<Versioned | undefined>;
  /** Makes the head; one that exists stays as it is. */
  makeHead(data: Buffer): Promise<void>;
  /**
   * In one transaction. Resolves to the head's new version, or to undefined, with nothing changed, when the head has another version
   * or the entry exists. A rejection leaves open whether it took effect.
   */
  change(change: FencedChange): Promise<bigint | undefined>;
  /** In the order of the names; undefined stands for values that do not exist. */
  read(names: readonly string[]): Promise<(Buffer | undefined)[]>;
  /** Writes a value, whether or not it exists. Resolves to false, with nothing changed, when the head has another version. */
  put(value: NamedValue, version: bigint): Promise<boolean>;
  /** Names of all values but the head. */
  names(): Promise<string[]>;
  /** Those that do not exist are passed over. */
  remove(names: readonly string[]): Promise<void>;
  /**
   * Does the work, again and again while servers cannot be reached, until it has an outcome that is none of the connection's.
   * Rejects after `close`.
   */
  persist<T>(work: () => Promise<T>): Promise<T>;
  /** Ends what persists. The connection belongs to who made it. */
  close(): void;
}
