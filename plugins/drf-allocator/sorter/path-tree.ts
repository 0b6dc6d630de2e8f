/** Name of the leaf that stands for a path itself among its sub-paths: no component of a role may be called so. */
const SELF = ".";

/**
 * A node of a tree of paths: a client, or a path to clients, or both. A path that is both has its client in a leaf of its own
 * (`prod/.`), so that `prod` competes as one of its children, with `prod/web` and others.
 */
export class PathNode<C, D> {
  readonly children: PathNode<C, D>[] = [];
  /** Undefined for a mere path. */
  ticket: Ticket<C, D> | undefined;
  /** How many active clients there are at and below this node. */
  active = 0;

  constructor(
    readonly path: string,
    readonly parent: PathNode<C, D> | undefined,
    readonly data: D,
  ) {}

  get isLeaf(): boolean {
    return this.ticket !== undefined;
  }
}

/** A client, and where it is at the moment: a leaf becomes a branch when a path below it comes. */
export class Ticket<C, D> {
  constructor(
    readonly client: C,
    public node: PathNode<C, D>,
  ) {}
}

export interface PathTreeHooks<C, D> {
  makeData(): D;
  /** What a client has so far, for the leaf that stands for it from now on, or its path again. */
  copyData(from: D, to: D): void;
  /** The children of a node have changed. */
  changed(parent: PathNode<C, D>): void;
}

export class PathTree<C, D> {
  readonly root: PathNode<C, D>;

  constructor(private readonly hooks: PathTreeHooks<C, D>) {
    this.root = new PathNode<C, D>("", undefined, hooks.makeData());
  }

  /** @param path not added before */
  add(path: string, client: C): Ticket<C, D> {
    let node = this.root;
    for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
      node = this.branch(node, path.slice(0, end));
    }
    let leaf = this.find(node, path);
    leaf = leaf === undefined ? this.attach(node, path) : this.attach(leaf, `${path}/${SELF}`);
    leaf.ticket = new Ticket(client, leaf);
    return leaf.ticket;
  }

  /** Removes the client and the paths that lead to no other. */
  remove(ticket: Ticket<C, D>): void {
    this.setActive(ticket, false);
    let { node } = ticket;
    while (node.parent !== undefined && node.children.length === 0) {
      const { parent } = node;
      this.detach(node);
      this.unite(parent);
      if (parent.isLeaf) break;
      node = parent;
    }
  }

  /** True when this changed anything. */
  setActive({ node }: Ticket<C, D>, active: boolean): boolean {
    if (node.active === Number(active)) return false;
    const change = active ? 1 : -1;
    for (let one: PathNode<C, D> | undefined = node; one !== undefined; one = one.parent) {
      const before = one.active;
      one.active += change;
      if (one.parent !== undefined && before > 0 !== one.active > 0) this.hooks.changed(one.parent);
    }
    return true;
  }

  /** The node of a path that leads further; a leaf there moves into a leaf of its own. */
  private branch(parent: PathNode<C, D>, path: string): PathNode<C, D> {
    const node = this.find(parent, path) ?? this.attach(parent, path);
    if (node.ticket !== undefined) {
      const leaf = this.attach(node, `${path}/${SELF}`);
      this.move(node, leaf);
    }
    return node;
  }

  /** A leaf that is the only child of its own path becomes that path again. */
  private unite(node: PathNode<C, D>): void {
    const [only] = node.children;
    if (node.children.length !== 1 || only?.ticket === undefined || only.path !== `${node.path}/${SELF}`)
      return;
    this.move(only, node);
    this.detach(only);
  }

  private move(from: PathNode<C, D>, to: PathNode<C, D>): void {
    const { ticket } = from;
    if (ticket === undefined) return;
    from.ticket = undefined;
    to.ticket = ticket;
    to.active = from.active;
    ticket.node = to;
    this.hooks.copyData(from.data, to.data);
    if (to.parent !== undefined) this.hooks.changed(to.parent);
  }

  private find(parent: PathNode<C, D>, path: string): PathNode<C, D> | undefined {
    return this.nodes.get(path)?.parent === parent ? this.nodes.get(path) : undefined;
  }

  private readonly nodes = new Map<string, PathNode<C, D>>();

  private attach(parent: PathNode<C, D>, path: string): PathNode<C, D> {
    const node = new PathNode<C, D>(path, parent, this.hooks.makeData());
    parent.children.push(node);
    this.nodes.set(path, node);
    return node;
  }

  private detach(node: PathNode<C, D>): void {
    const siblings = node.parent?.children ?? [];
    siblings.splice(siblings.indexOf(node), 1);
    this.nodes.delete(node.path);
    if (node.parent !== undefined) this.hooks.changed(node.parent);
  }
}
