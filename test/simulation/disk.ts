import { dirname } from "node:path";
import type { Disk, DiskOperation } from "../../core/agent/disk/operations.js";
import type { StateFiles } from "../../core/agent/recovery/state-files.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { Mutation } from "./mutations.js";
import type { SimulatedProcess } from "./process.js";
import type { World } from "./world.js";

type Entry =
  | { readonly kind: "directory" }
  | { readonly kind: "file"; readonly data: Buffer }
  | { readonly kind: "link"; readonly target: string };

type Entries = Map<string, Entry>;

/** What is wrong with a disk. A full one refuses whatever needs space; a broken one refuses anything, now and then. */
export interface DiskTrouble {
  readonly kind: "full" | "broken";
  /** Probability that a change fails. */
  readonly chance: number;
  /** Lasts until the agent restarts. */
  readonly stubborn: boolean;
}

/** Operations that still work on a full disk. */
const FREEING: ReadonlySet<DiskOperation["op"]> = new Set(["truncate", "rename", "touch", "empty", "remove"]);

/**
 * A disk that outlives the processes that write to it. What was written is there for the next process; after a power failure, only what was
 * written up to some point at or after the last durable write, as on a journaling file system.
 */
export class SimulatedDisk {
  private entries: Entries = new Map();
  /** The content at the last durable write. */
  private safe: Entries = new Map();
  private unsafe: DiskOperation[] = [];
  /** Mean duration of a group of changes, in milliseconds. */
  delay = 1;
  /** Fraction (0 to 1) of the disk that is in use. */
  usage = 0;
  /** Probability that an attempt to read fails. */
  unreadable = 0;
  /** Number of attempts that failed. */
  readErrors = 0;
  trouble: DiskTrouble | undefined;
  /** The latest period of trouble, in the world's time; `until` is not in the past while it lasts. */
  private bad = { since: -Infinity, until: -Infinity };

  constructor(private readonly world: World) {}

  startTrouble(trouble: DiskTrouble): void {
    if (!this.hadTrouble(0)) this.bad = { since: this.world.time, until: Infinity };
    this.bad.until = Infinity;
    this.trouble = trouble;
  }

  endTrouble(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.bad.until = this.world.time;
  }

  /** Whether there is trouble, or was within the last `within` milliseconds. */
  hadTrouble(within: number): boolean {
    return this.bad.until + within >= this.world.time;
  }

  /** When the latest trouble began. */
  get troubleSince(): number {
    return this.bad.since;
  }

  /** Whether the disk refuses this operation. */
  refuses({ op }: DiskOperation): boolean {
    const { trouble, world } = this;
    if (trouble === undefined || (trouble.kind === "full" && FREEING.has(op))) return false;
    return world.dice.chance(trouble.chance);
  }

  perform(operation: DiskOperation): void {
    change(this.entries, operation);
    this.unsafe.push(operation);
    if (!("durable" in operation) || operation.durable !== true) return;
    for (const one of this.unsafe) change(this.safe, one);
    this.unsafe = [];
  }

  /** Replaces the disk with an empty one. */
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

  has(path: string): boolean {
    return this.entries.has(path);
  }

  /**
   * The files as they are now, for a process that starts.
   *
   * @param sound no reads fail, for checks by the simulation itself
   */
  files(sound = false): StateFiles {
    const { entries, world } = this;
    const names = directories(entries);
    const look = <T>(path: string, found: T | undefined): T => {
      if (!sound && this.unreadable > 0 && world.dice.chance(this.unreadable)) {
        this.readErrors++;
        throw Object.assign(new Error(`EIO: i/o error, ${path}`), { code: "EIO" });
      }
      if (found === undefined) throw missing(path);
      return found;
    };
    return {
      readFile: async (path) => {
        const entry = entries.get(path);
        return look(path, entry?.kind === "file" ? Buffer.from(entry.data) : undefined);
      },
      readlink: async (path) => {
        const entry = entries.get(path);
        return look(path, entry?.kind === "link" ? entry.target : undefined);
      },
      readdir: async (path) => {
        const found = names.get(path);
        return look(path, found && [...found].sort());
      },
      lstat: async (path) => {
        const isThere = entries.has(path) || names.has(path);
        const found = { mtimeMs: world.wallTime, isDirectory: () => names.has(path) };
        return look(path, isThere ? found : undefined);
      },
    };
  }
}

/** The content of each directory; the directories above a file exist with it. */
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

/** Operations that may be written in part. */
type Torn = Extract<DiskOperation, { readonly op: "append" | "create" }>;

interface Group {
  readonly operations: readonly DiskOperation[];
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** A process's access to the disk: changes are made in the order of the calls, after a delay. */
export class SimulatedDiskAccess implements Disk {
  private waiting: Group[] = [];
  private busy = false;

  constructor(
    private readonly disk: SimulatedDisk,
    private readonly process: SimulatedProcess,
    private readonly mutation: Mutation | undefined,
  ) {}

  apply(operations: readonly DiskOperation[]): Promise<void> {
    if (!this.process.alive) return new Promise(() => undefined);
    return new Promise((done, failed) => {
      const said = { done, failed };
      const unsaid = { done: () => undefined, failed: () => undefined };
      const hasty = this.mutation === "write-later";
      this.waiting.push({ operations, ...(hasty ? unsaid : said) });
      this.next();
      if (hasty) done();
    });
  }

  discard(path: string): Promise<void> {
    return this.apply([{ op: "remove", path }]);
  }

  finishDiscard(aside: string): Promise<void> {
    return this.apply([{ op: "remove", path: aside }]);
  }

  async resumeDiscards(): Promise<void> {}

  /** The process dies: the change in progress may be made in part. */
  crash(): void {
    const { dice } = this.process.world;
    const [first] = this.waiting;
    if (first === undefined || !this.busy) return;
    const done = dice.below(first.operations.length + 1);
    for (const operation of first.operations.slice(0, done)) this.disk.perform(operation);
    const torn = first.operations[done];
    if (torn?.op === "append" || torn?.op === "create") this.tear(torn);
  }

  private tear(torn: Torn): void {
    const data = torn.data.subarray(0, this.process.world.dice.below(torn.data.length + 1));
    if (data.length > 0) this.disk.perform({ ...torn, data });
  }

  private next(): void {
    const [first] = this.waiting;
    if (this.busy || first === undefined) return;
    this.busy = true;
    const { dice } = this.process.world;
    this.process.input(0.05 + dice.exponential(this.disk.delay), () => {
      const failed = this.perform(first.operations);
      this.waiting.shift();
      this.busy = false;
      if (failed === undefined || this.mutation === "no-disk-errors") first.done();
      else first.failed(new TepuiError("TEPUI_AGENT_DISK_FAILED", { detail: failed }));
      this.next();
    });
  }

  /** Performs operations in order until one fails. Returns what failed. */
  private perform(operations: readonly DiskOperation[]): string | undefined {
    const { disk } = this;
    for (const operation of operations) {
      if (disk.refuses(operation)) {
        this.fail(operation);
        return `cannot ${operation.op} '${operation.path}': ${disk.trouble?.kind}`;
      }
      disk.perform(operation);
    }
    return undefined;
  }

  /** Part of a failed operation may take effect. */
  private fail(operation: DiskOperation): void {
    const { dice } = this.process.world;
    // The content was written, but could not be flushed.
    if ("durable" in operation && operation.durable === true && dice.chance(0.3))
      this.disk.perform({ ...operation, durable: false });
    // Appends are undone.
    else if (operation.op === "create") this.tear(operation);
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
      if (operation.unlessGone === true && !isThere(entries, dirname(path))) break;
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

const isThere = (entries: Entries, path: string): boolean =>
  entries.has(path) || [...entries.keys()].some((one) => one.startsWith(`${path}/`));

const below = (entries: Entries, path: string): string[] =>
  [...entries.keys()].filter((one) => one.startsWith(`${path}/`));
