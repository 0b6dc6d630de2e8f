import type { FencedChange, FencedStore, NamedValue, Versioned } from "../../../sdk/registry/index.js";

/** The values of an engine, which several stores share. */
export class ModelEngine {
  head: Versioned | undefined;
  readonly values = new Map<string, Buffer>();
  private revision = 100n;

  next(): bigint {
    this.revision += 7n;
    return this.revision;
  }
}

type Step = "before" | "after";

/** The connection broke. */
class Lost extends Error {}

/** A store in memory whose calls a test can hold up, or have break before or after they took effect. */
export class ModelStore implements FencedStore {
  readonly engine = "model";
  /** Called around each call; throws `ModelStore.lost` to break it. */
  around: (call: string, step: Step) => Promise<void> = async () => {};
  private closed = false;

  constructor(private readonly model: ModelEngine) {}

  static lost(): Error {
    return new Lost("the connection is lost");
  }

  readHead(): Promise<Versioned | undefined> {
    return this.call("readHead", () => this.model.head);
  }

  makeHead(data: Buffer): Promise<void> {
    return this.call("makeHead", () => {
      this.model.head ??= { data, version: this.model.next() };
    });
  }

  change({ head, version, entry }: FencedChange): Promise<bigint | undefined> {
    return this.call("change", () => {
      const { model } = this;
      if (model.head?.version !== version) return undefined;
      if (entry !== undefined && model.values.has(entry.name)) return undefined;
      if (entry !== undefined) model.values.set(entry.name, entry.data);
      model.head = { data: head, version: model.next() };
      return model.head.version;
    });
  }

  read(names: readonly string[]): Promise<(Buffer | undefined)[]> {
    return this.call("read", () => names.map((name) => this.model.values.get(name)));
  }

  put({ name, data }: NamedValue, version: bigint): Promise<boolean> {
    return this.call("put", () => {
      if (this.model.head?.version !== version) return false;
      this.model.values.set(name, data);
      return true;
    });
  }

  names(): Promise<string[]> {
    return this.call("names", () => [...this.model.values.keys()]);
  }

  remove(names: readonly string[]): Promise<void> {
    return this.call("remove", () => {
      for (const name of names) this.model.values.delete(name);
    });
  }

  async persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.closed) throw new Error("closed");
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
      }
    }
  }

  close(): void {
    this.closed = true;
  }

  private async call<T>(name: string, work: () => T): Promise<T> {
    await this.around(name, "before");
    const done = work();
    await this.around(name, "after");
    return done;
  }
}
