import { join } from "node:path";
import type { Cgroup, CgroupVersion, Controller } from "./cgroup.js";
import { CgroupError } from "./cgroup-error.js";
import type { CgroupHost, ListOptions } from "./cgroup-host.js";
import { subdirectories } from "./control-file.js";
import { explainLack, type Findings } from "./findings.js";
import { Group } from "./group.js";
import type { GroupServices } from "./group-services.js";
import { Helper } from "./helper/helper.js";
import { RemovalWatches } from "./removal-watches.js";
import type { Tree } from "./tree.js";
import { TreeV1 } from "./v1/tree-v1.js";
import { TreeV2 } from "./v2/tree-v2.js";

export class Host implements CgroupHost {
  readonly hierarchy: string;
  readonly controllers: readonly Controller[];
  readonly #findings: Findings;
  readonly #trees = new Map<Controller, Tree>();
  readonly #removals = new RemovalWatches();
  readonly #services: GroupServices & { readonly helper: Helper };

  constructor(findings: Findings, leaf: string) {
    this.hierarchy = findings.hierarchy;
    this.controllers = [...findings.homes.keys()];
    this.#findings = findings;
    for (const mount of new Set(findings.homes.values())) {
      const { version, mountPoint } = mount;
      const controllers = this.controllers.filter((controller) => findings.homes.get(controller) === mount);
      const tree =
        version === 1 ? new TreeV1(mountPoint, controllers) : new TreeV2(mountPoint, controllers, leaf);
      for (const controller of controllers) this.#trees.set(controller, tree);
    }
    this.#services = { helper: new Helper(), removals: this.#removals };
  }

  version(controller: Controller): CgroupVersion | undefined {
    return this.#trees.get(controller)?.version;
  }

  mountPoint(controller: Controller): string | undefined {
    return this.#trees.get(controller)?.mountPoint;
  }

  lack(controller: Controller): string | undefined {
    return this.#trees.has(controller) ? undefined : explainLack(controller, this.#findings);
  }

  group(path: string, controllers: readonly Controller[]): Cgroup {
    checkPath(path);
    const trees = new Map<Controller, Tree>();
    for (const controller of controllers) {
      const tree = this.#trees.get(controller);
      if (tree === undefined)
        throw new CgroupError(explainLack(controller, this.#findings), { errno: "ENOTSUP" });
      trees.set(controller, tree);
    }
    return new Group(path, trees, this.#services);
  }

  list(root: string, { depth = Number.POSITIVE_INFINITY }: ListOptions = {}): string[] {
    checkPath(root);
    const found = new Set<string>();
    for (const tree of new Set(this.#trees.values())) {
      const collect = (path: string, levels: number): void => {
        if (levels === 0) return;
        for (const name of subdirectories(tree.directory(path))) {
          if (tree.isOwnPart(name)) continue;
          found.add(join(path, name));
          collect(join(path, name), levels - 1);
        }
      };
      collect(root, depth);
    }
    return [...found].sort();
  }

  close(): Promise<void> {
    return this.#services.helper.close();
  }
}

/** Names one group below the mount point, and nothing else. */
function checkPath(path: string): void {
  const names = path.split("/");
  // A tab or a line feed would break what is said to the helper.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (names.some((name) => name === "" || name === "." || name === ".." || /[\u0000-\u001f]/.test(name)))
    throw new CgroupError(`not a cgroup path: ${JSON.stringify(path)}`, { errno: "EINVAL" });
}
