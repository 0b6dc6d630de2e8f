import type { Disk, DiskOperation } from "../../core/agent/disk/operations.js";
import type { StateFiles } from "../../core/agent/recovery/state-files.js";
import type { SimulatedProcess } from "./process.js";
import type { World } from "./world.js";

type Entry =
  | { readonly kind: "directory" }
  | { readonly kind: "file"; readonly data: Buffer }
  | { readonly kind: "link"; readonly target: string };

type Entries = Map<string, Entry>;

/**
 * A disk that outlives the processes that write to it. What was written is there for the next process; after a loss of power only what was
 * written up to some point at or after the last durable write, as on a journaling file system.
 */
export class SimulatedDisk {
  private entries: Entries = new Map();
  /** As of the last durable write. */
  private safe: Entries = new Map();
  private unsafe: DiskOperation[] = [];
  /** Mean milliseconds that a group of changes takes. */
  delay = 1;

  constructor(private readonly world: World) {}

  perform(operation: DiskOperation): void {
    change(this.entries, operation);
    this.unsafe.push(operation);
    if (!("durable" in operation) || operation.durable !== true) return;
    for (const one of this.unsafe) change(this.safe, one);
    this.unsafe = [];
  }

  /** Another disk takes its place. */
  replace(): void {
    this.entries = new Map();
    this.safe = new Map();
    this.unsafe = [];
  }

  losePower(): void {
    const kept = this.unsafe.slice(0, this.world.dice.below(this.unsafe.length + 1));
    for (const one of kept) change(this.safe, one);
    this.entries = new Map(this.safe);
    this.unsafe = [];
  }

  /** The files as they are now, for a process that starts. */
  files(): StateFiles {
    const { entries, world } = this;
    const names = directories(entries);
    return {
      readFile: async (path) => {
        const entry = entries.get(path);
        if (entry?.kind === "file") return Buffer.from(entry.data);
        throw missing(path);
      },
      readlink: async (path) => {
        const entry = entries.get(path);
        if (entry?.kind === "link") return entry.target;
        throw missing(path);
      },
      readdir: async (path) => {
        const found = names.get(path);
        if (found === undefined) throw missing(path);
        return [...found].sort();
      },
      lstat: async (path) => {
        if (!entries.has(path) && !names.has(path)) throw missing(path);
        return { mtimeMs: world.wallTime, isDirectory: () => names.has(path) };
      },
    };
  }
}

/** What is in each directory; those above a file are there with it. */
function directories(entries: Entries): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const [path, { kind }] of entries) {
    if (kind === "directory" && !names.has(path)) names.set(path, new Set());
    for (let at = path; at !== ""; ) {
      const slash = at.lastIndexOf("/");
      const above = at.slice(0, slash);
      const found = names.get(above) ?? new Set();
      names.set(above, found.add(at.slice(slash + 1)));
      at = above;
    }
  }
  return names;
}

const missing = (path: string): Error => Object.assign(new Error(`there is no ${path}`), { code: "ENOENT" });

/** One process's way to the disk: changes are made in the order of the calls, some time after them. */
export class SimulatedDiskAccess implements Disk {
  private waiting: { operations: readonly DiskOperation[]; done: () => void }[] = [];
  private busy = false;

  constructor(
    private readonly disk: SimulatedDisk,
    private readonly process: SimulatedProcess,
    /** Says that something is done before it is: a mistake. */
    private readonly hasty = false,
  ) {}

  apply(operations: readonly DiskOperation[]): Promise<void> {
    if (!this.process.alive) return new Promise(() => undefined);
    return new Promise((done) => {
      this.waiting.push({ operations, done: this.hasty ? () => undefined : done });
      this.next();
      if (this.hasty) done();
    });
  }

  discard(path: string): Promise<void> {
    return this.apply([{ op: "remove", path }]);
  }

  finishDiscard(aside: string): Promise<void> {
    return this.apply([{ op: "remove", path: aside }]);
  }

  async resumeDiscards(): Promise<void> {}

  /** The process dies: the change that is under way may be made in part. */
  crash(): void {
    const { dice } = this.process.world;
    const [first] = this.waiting;
    if (first === undefined || !this.busy) return;
    const done = dice.below(first.operations.length + 1);
    for (const operation of first.operations.slice(0, done)) this.disk.perform(operation);
    const torn = first.operations[done];
    if (torn === undefined || (torn.op !== "append" && torn.op !== "create")) return;
    const data = torn.data.subarray(0, dice.below(torn.data.length + 1));
    if (data.length > 0) this.disk.perform({ ...torn, data });
  }

  private next(): void {
    const [first] = this.waiting;
    if (this.busy || first === undefined) return;
    this.busy = true;
    const { dice } = this.process.world;
    this.process.input(0.05 + dice.exponential(this.disk.delay), () => {
      for (const operation of first.operations) this.disk.perform(operation);
      this.waiting.shift();
      this.busy = false;
      first.done();
      this.next();
    });
  }
}

function change(entries: Entries, operation: DiskOperation): void {
  const { path } = operation;
  switch (operation.op) {
    case "mkdir":
    case "mkdir-inside":
      entries.set(path, { kind: "directory" });
      break;
    case "write":
    case "create":
      entries.set(path, { kind: "file", data: Buffer.from(operation.data) });
      break;
    case "append": {
      const before = entries.get(path);
      const data = before?.kind === "file" ? before.data : Buffer.alloc(0);
      entries.set(path, { kind: "file", data: Buffer.concat([data, operation.data]) });
      break;
    }
    case "truncate": {
      const before = entries.get(path);
      if (before?.kind === "file") {
        entries.set(path, { kind: "file", data: before.data.subarray(0, operation.size) });
      }
      break;
    }
    case "symlink":
      entries.set(path, { kind: "link", target: operation.target });
      break;
    case "rename":
    case "move-aside":
      move(entries, operation.from, path);
      break;
    case "empty":
    case "remove":
      for (const one of below(entries, path)) entries.delete(one);
      if (operation.op === "remove") entries.delete(path);
      break;
    case "touch":
      break;
  }
}

function move(entries: Entries, from: string, to: string): void {
  for (const path of [from, ...below(entries, from)]) {
    const entry = entries.get(path);
    if (entry === undefined) continue;
    entries.delete(path);
    entries.set(to + path.slice(from.length), entry);
  }
}

const below = (entries: Entries, path: string): string[] =>
  [...entries.keys()].filter((one) => one.startsWith(`${path}/`));
