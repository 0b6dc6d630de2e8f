import type { WatchEvent } from "./records.js";

export type Watcher = (event: WatchEvent) => void;

type Kind = "data" | "exists" | "children";

/** The kinds of watch that each event triggers. */
const TRIGGERED: Readonly<Record<WatchEvent["type"], readonly Kind[]>> = {
  created: ["data", "exists"],
  "data-changed": ["data", "exists"],
  deleted: ["data", "exists", "children"],
  "children-changed": ["children"],
  other: [],
};

/** The watches that are set: each fires once and is then removed. */
export class Watches {
  private readonly kinds: Readonly<Record<Kind, Map<string, Set<Watcher>>>> = {
    data: new Map(),
    exists: new Map(),
    children: new Map(),
  };

  add(kind: Kind, path: string, watcher: Watcher): void {
    const watchers = this.kinds[kind].get(path);
    if (watchers === undefined) this.kinds[kind].set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  fire(event: WatchEvent): void {
    const told = new Set<Watcher>();
    for (const kind of TRIGGERED[event.type]) {
      for (const watcher of this.kinds[kind].get(event.path) ?? []) told.add(watcher);
      this.kinds[kind].delete(event.path);
    }
    for (const watcher of told) watcher(event);
  }

  /** All watched paths, in portions that fit into a request: for a server that does not know of them yet. */
  portions(): { data: string[]; exists: string[]; children: string[] }[] {
    const portions: { data: string[]; exists: string[]; children: string[] }[] = [];
    let size = MOST_BYTES;
    for (const kind of ["data", "exists", "children"] as const) {
      for (const path of this.kinds[kind].keys()) {
        size += Buffer.byteLength(path) + 4;
        if (size > MOST_BYTES) {
          portions.push({ data: [], exists: [], children: [] });
          size = 0;
        }
        portions.at(-1)![kind].push(path);
      }
    }
    return portions;
  }

  clear(): void {
    for (const watchers of Object.values(this.kinds)) watchers.clear();
  }
}

const MOST_BYTES = 128 * 1024;
