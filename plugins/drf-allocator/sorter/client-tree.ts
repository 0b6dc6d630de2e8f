/** Name of the leaf that stands for a path itself among its sub-paths: no component of a role may be called so. */
const SELF = ".";

/** A path (`prod`), the root, or the leaf that stands for a client (`prod/.`). */
export class TreeNode<D> {
  readonly children: TreeNode<D>[] = [];
  /** How many active clients there are at and below this node. */
  active = 0;

  constructor(
    readonly name: string,
    readonly path: string,
    readonly parent: TreeNode<D> | undefined,
    readonly data: D,
  ) {}

  get isLeaf(): boolean {
    return this.name === SELF;
  }

  /** The client that a leaf stands for. */
  get client(): string {
    return this.parent?.path ?? "";
  }
}

/**
 * Clients by path. Each client is a leaf below the node of its path, so that `prod` competes as one of the children of `prod`,
 * with `prod/web` and others, while the node `prod` with all of them competes among the top-level paths.
 */
export class ClientTree<D> {
  readonly root: TreeNode<D>;
  private readonly leaves = new Map<string, TreeNode<D>>();

  constructor(private readonly makeData: () => D) {
    this.root = new TreeNode("", "", undefined, makeData());
  }

  leaf(client: string): TreeNode<D> | undefined {
    return this.leaves.get(client);
  }

  add(client: string): TreeNode<D> {
    const existing = this.leaves.get(client);
    if (existing !== undefined) return existing;
    let node = this.root;
    for (const name of client.split("/")) node = this.childOf(node, name);
    const leaf = this.childOf(node, SELF);
    this.leaves.set(client, leaf);
    return leaf;
  }

  /** Removes the client and the paths that lead to no other. */
  remove(client: string): void {
    const leaf = this.leaves.get(client);
    if (leaf === undefined) return;
    this.setActive(client, false);
    this.leaves.delete(client);
    for (let node = leaf; node.parent !== undefined && node.children.length === 0; node = node.parent) {
      node.parent.children.splice(node.parent.children.indexOf(node), 1);
    }
  }

  /** True when this changed anything. */
  setActive(client: string, active: boolean): boolean {
    const leaf = this.leaves.get(client);
    if (leaf === undefined || leaf.active === Number(active)) return false;
    const change = active ? 1 : -1;
    for (let node: TreeNode<D> | undefined = leaf; node !== undefined; node = node.parent) {
      node.active += change;
    }
    return true;
  }

  private childOf(parent: TreeNode<D>, name: string): TreeNode<D> {
    const existing = parent.children.find((child) => child.name === name);
    if (existing !== undefined) return existing;
    const path = parent === this.root ? name : `${parent.path}/${name}`;
    const child = new TreeNode(name, path, parent, this.makeData());
    parent.children.push(child);
    return child;
  }
}
