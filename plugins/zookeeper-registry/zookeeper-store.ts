import type { FencedChange, FencedStore, NamedValue, Versioned } from "../../sdk/registry/index.js";
import {
  type AccessEntry,
  isZooKeeperError,
  type MultiOperation,
  type ZooKeeperClient,
} from "../../sdk/zookeeper/index.js";

export interface ZooKeeperStoreOptions {
  readonly client: ZooKeeperClient;
  /** The head's node; the other values are its children. */
  readonly path: string;
  /** Access list of the nodes that it creates. */
  readonly access: readonly AccessEntry[];
}

/** Values in nodes of ZooKeeper. */
export class ZooKeeperStore implements FencedStore {
  readonly engine = "ZooKeeper";
  private readonly unlisten: () => void;
  private closed = false;
  /** Callbacks that end the waits for a connection. */
  private readonly wakes = new Set<() => void>();

  constructor(private readonly options: ZooKeeperStoreOptions) {
    this.unlisten = options.client.listen({ connected: () => this.wake() });
  }

  async readHead(): Promise<Versioned | undefined> {
    try {
      const { data, stat } = await this.options.client.getData(this.options.path);
      return { data, version: BigInt(stat.version) };
    } catch (error) {
      return absent(error);
    }
  }

  async makeHead(data: Buffer): Promise<void> {
    const { client, path, access } = this.options;
    try {
      await client.create({ path, data, access });
    } catch (error) {
      if (!isZooKeeperError(error, "node-exists")) throw error;
    }
  }

  async change({ head, version, entry }: FencedChange): Promise<bigint | undefined> {
    const { path, access } = this.options;
    const added: MultiOperation[] =
      entry === undefined ? [] : [{ kind: "create", path: this.at(entry.name), data: entry.data, access }];
    const done = await this.multi([{ kind: "set", path, data: head, version: Number(version) }, ...added]);
    return done === "done" ? version + 1n : undefined;
  }

  async read(names: readonly string[]): Promise<(Buffer | undefined)[]> {
    return Promise.all(
      names.map(async (name) => {
        try {
          return (await this.options.client.getData(this.at(name))).data;
        } catch (error) {
          return absent(error);
        }
      }),
    );
  }

  async put({ name, data }: NamedValue, version: bigint): Promise<boolean> {
    const check = { kind: "check", path: this.options.path, version: Number(version) } as const;
    const path = this.at(name);
    const created = await this.multi([check, { kind: "create", path, data, access: this.options.access }]);
    if (created !== "exists") return created === "done";
    return (await this.multi([check, { kind: "set", path, data }])) === "done";
  }

  names(): Promise<string[]> {
    return this.options.client.getChildren(this.options.path);
  }

  async remove(names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map((name) => this.options.client.delete(this.at(name)).catch((error: unknown) => absent(error))),
    );
  }

  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.connection();
      try {
        return await work();
      } catch (error) {
        if (!isZooKeeperError(error, "connection-loss", "session-expired", "operation-timeout")) throw error;
      }
    }
  }

  close(): void {
    this.closed = true;
    this.unlisten();
    this.wake();
  }

  private async multi(operations: readonly MultiOperation[]): Promise<"done" | "exists" | "stale"> {
    try {
      await this.options.client.multi(operations);
      return "done";
    } catch (error) {
      if (isZooKeeperError(error, "node-exists")) return "exists";
      if (isZooKeeperError(error, "bad-version", "no-node")) return "stale";
      throw error;
    }
  }

  private async connection(): Promise<void> {
    while (!this.closed && !this.options.client.connected) {
      await new Promise<void>((resolve) => this.wakes.add(resolve));
    }
    if (this.closed) throw new Error("the registry is closed");
  }

  private wake(): void {
    for (const wake of this.wakes) wake();
    this.wakes.clear();
  }

  private at(name: string): string {
    return `${this.options.path}/${name}`;
  }
}

/** A missing node is an answer; everything else is a failure. */
function absent(error: unknown): undefined {
  if (!isZooKeeperError(error, "no-node")) throw error;
}
