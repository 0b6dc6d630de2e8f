import type { Clock } from "../../sdk/contracts/clock.js";
import { type EtcdClient, type EtcdCompare, isEtcdError } from "../../sdk/etcd/index.js";
import type { FencedChange, FencedStore, NamedValue, Versioned } from "../../sdk/registry/index.js";
import { pause } from "../../sdk/time/index.js";

export interface EtcdStoreOptions {
  readonly client: EtcdClient;
  /** Key of the head; the other keys are this, a slash and a name. */
  readonly path: string;
  readonly clock: Clock;
}

/** Milliseconds between attempts while no server answers. */
const PAUSE_MS = 200;

/** Values in keys of etcd. The version of a value is the store's revision at its last change. */
export class EtcdStore implements FencedStore {
  readonly engine = "etcd";
  private readonly closing = new AbortController();

  constructor(private readonly options: EtcdStoreOptions) {}

  readHead(): Promise<Versioned | undefined> {
    return this.options.client.get(this.options.path);
  }

  async makeHead(data: Buffer): Promise<void> {
    const { client, path } = this.options;
    await client.transaction([{ key: path, absent: true }], [{ kind: "put", key: path, data }]);
  }

  async change({ head, version, entry }: FencedChange): Promise<bigint | undefined> {
    const { client, path } = this.options;
    const guards: EtcdCompare[] = [{ key: path, version }];
    if (entry !== undefined) guards.push({ key: this.at(entry.name), absent: true });
    const { succeeded, revision } = await client.transaction(guards, [
      { kind: "put", key: path, data: head },
      ...(entry === undefined ? [] : [{ kind: "put", key: this.at(entry.name), data: entry.data } as const]),
    ]);
    return succeeded ? revision : undefined;
  }

  async read(names: readonly string[]): Promise<(Buffer | undefined)[]> {
    const gets = names.map((name) => ({ kind: "get", key: this.at(name) }) as const);
    const { values } = await this.options.client.transaction([], gets);
    return names.map((_, i) => values[i]?.data);
  }

  async put({ name, data }: NamedValue, version: bigint): Promise<boolean> {
    const { client, path } = this.options;
    const put = { kind: "put", key: this.at(name), data } as const;
    return (await client.transaction([{ key: path, version }], [put])).succeeded;
  }

  async names(): Promise<string[]> {
    const below = this.at("");
    return (await this.options.client.keys(below)).map((key) => key.slice(below.length));
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.options.client.transaction(
      [],
      names.map((name) => ({ kind: "delete", key: this.at(name) }) as const),
    );
  }

  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.closing.signal.aborted) throw new Error("the registry is closed");
      try {
        return await work();
      } catch (error) {
        if (!isEtcdError(error, "unavailable")) throw error;
        await pause(this.options.clock, PAUSE_MS, this.closing.signal);
      }
    }
  }

  close(): void {
    this.closing.abort();
  }

  private at(name: string): string {
    return `${this.options.path}/${name}`;
  }
}
