import type { Stat } from "../../../sdk/zookeeper/index.js";

/** A change that the ensemble has agreed on. */
export type Change =
  | { readonly kind: "create"; readonly path: string; readonly data: Buffer; readonly owner: bigint }
  | { readonly kind: "delete"; readonly path: string }
  | { readonly kind: "set"; readonly path: string; readonly data: Buffer }
  | { readonly kind: "check"; readonly path: string };

/** Its changes are applied together or not at all. */
export interface Transaction {
  readonly zxid: bigint;
  readonly time: number;
  readonly changes: readonly Change[];
  /** A session that ends with it. */
  readonly ends?: bigint;
}

interface Node {
  data: Buffer;
  readonly owner: bigint;
  readonly created: bigint;
  readonly createdTime: number;
  modified: bigint;
  modifiedTime: number;
  version: number;
  childrenVersion: number;
  childrenModified: bigint;
  /** Sequence number of the next sequential child; counts all that were ever created. */
  sequence: number;
  readonly children: Set<string>;
}

export interface Seen {
  readonly type: "created" | "deleted" | "data-changed" | "children-changed";
  readonly path: string;
}

export const NO_NODE = -101;
const BAD_VERSION = -103;
const NODE_EXISTS = -110;
const NOT_EMPTY = -111;

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** The nodes, as one server knows them. */
export class Tree {
  zxid = 0n;
  private readonly nodes = new Map<string, Node>();

  constructor() {
    this.nodes.set("/", newNode({ data: Buffer.alloc(0), owner: 0n, zxid: 0n, time: 0 }));
  }

  has(path: string): boolean {
    return this.nodes.has(path);
  }

  data(path: string): Buffer | undefined {
    return this.nodes.get(path)?.data;
  }

  children(path: string): string[] | undefined {
    const node = this.nodes.get(path);
    return node === undefined ? undefined : [...node.children];
  }

  stat(path: string): Stat | undefined {
    const node = this.nodes.get(path);
    return node === undefined
      ? undefined
      : {
          created: node.created,
          modified: node.modified,
          createdTime: BigInt(Math.floor(node.createdTime)),
          modifiedTime: BigInt(Math.floor(node.modifiedTime)),
          version: node.version,
          childrenVersion: node.childrenVersion,
          accessVersion: 0,
          ephemeralOwner: node.owner,
          dataLength: node.data.length,
          childCount: node.children.size,
          childrenModified: node.childrenModified,
        };
  }

  /** The name of the next sequential node. */
  sequential(path: string): string {
    const { sequence = 0 } = this.nodes.get(parentOf(path)) ?? {};
    return path + String(sequence).padStart(10, "0");
  }

  ephemerals(owner: bigint): string[] {
    return [...this.nodes].filter(([, node]) => node.owner === owner).map(([path]) => path);
  }

  /** An error number, or 0 if the change is possible; `version` -1 means any. */
  problem(change: Change, version = -1): number {
    const node = this.nodes.get(change.path);
    if (change.kind === "create") {
      if (node !== undefined) return NODE_EXISTS;
      return this.nodes.has(parentOf(change.path)) ? 0 : NO_NODE;
    }
    if (node === undefined) return NO_NODE;
    if (version !== -1 && version !== node.version) return BAD_VERSION;
    return change.kind === "delete" && node.children.size > 0 ? NOT_EMPTY : 0;
  }

  /** Applies a transaction and returns the events for watches. */
  apply({ zxid, time, changes }: Transaction): Seen[] {
    const seen = changes.flatMap((change) => this.change(change, { zxid, time }));
    this.zxid = zxid;
    return seen;
  }

  private change(change: Change, { zxid, time }: { zxid: bigint; time: number }): Seen[] {
    const { kind, path } = change;
    const parent = this.nodes.get(parentOf(path));
    if (kind === "create") {
      this.nodes.set(path, newNode({ data: change.data, owner: change.owner, zxid, time }));
      parent!.sequence++;
      parent!.children.add(nameOf(path));
      this.touchChildren(parent!, zxid);
      return [
        { type: "created", path },
        { type: "children-changed", path: parentOf(path) },
      ];
    }
    if (kind === "delete") {
      this.nodes.delete(path);
      parent!.children.delete(nameOf(path));
      this.touchChildren(parent!, zxid);
      return [
        { type: "deleted", path },
        { type: "children-changed", path: parentOf(path) },
      ];
    }
    if (kind === "check") return [];
    const node = this.nodes.get(path)!;
    node.data = change.data;
    node.version++;
    node.modified = zxid;
    node.modifiedTime = time;
    return [{ type: "data-changed", path }];
  }

  private touchChildren(node: Node, zxid: bigint): void {
    node.childrenVersion++;
    node.childrenModified = zxid;
  }
}

const newNode = (options: { data: Buffer; owner: bigint; zxid: bigint; time: number }): Node => ({
  data: options.data,
  owner: options.owner,
  created: options.zxid,
  createdTime: options.time,
  modified: options.zxid,
  modifiedTime: options.time,
  version: 0,
  childrenVersion: 0,
  childrenModified: options.zxid,
  sequence: 0,
  children: new Set(),
});
