/** A value, and the version that the store gave it at its last change. */
export interface Versioned {
  readonly data: Buffer;
  readonly version: bigint;
}

/** A change of the head, and an entry that is created with it. */
export interface FencedChange {
  readonly head: Buffer;
  /** Version of the head, as far as the writer knows. */
  readonly version: bigint;
  readonly entry?: NamedValue;
}

export interface NamedValue {
  readonly name: string;
  readonly data: Buffer;
}

/**
 * What a shared log needs from an engine (ZooKeeper, etcd): named values of up to 1 MB. One of them, the head, can only be changed by
 * somebody who knows its version. Every operation is decided by a majority of the engine's servers.
 */
export interface FencedStore {
  readonly engine: string;
  /** Undefined: there is no head. */
  readHead(): Promise<Versioned | undefined>;
  /** Creates the head; an existing one stays as it is. */
  makeHead(data: Buffer): Promise<void>;
  /**
   * In one transaction. Resolves to the head's new version or, if the head has another version or the entry exists, to undefined with
   * nothing changed. After a rejection it is unknown whether the change took effect.
   */
  change(change: FencedChange): Promise<bigint | undefined>;
  /** In the order of the names; undefined for values that do not exist. */
  read(names: readonly string[]): Promise<(Buffer | undefined)[]>;
  /** Writes a value, whether or not it exists. Resolves to false, with nothing changed, if the head has another version. */
  put(value: NamedValue, version: bigint): Promise<boolean>;
  /** The names of all values except the head. */
  names(): Promise<string[]>;
  /** Ignores names that do not exist. */
  remove(names: readonly string[]): Promise<void>;
  /**
   * Repeats the work while servers are unreachable, until it succeeds or fails for a reason other than the connection.
   * Rejects after `close`.
   */
  persist<T>(work: () => Promise<T>): Promise<T>;
  /** Ends the repetition in `persist`. The connection belongs to whoever made it. */
  close(): void;
}
