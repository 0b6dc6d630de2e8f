import { dirname, join } from "node:path";
import { containerCgroup, isWithinAnother } from "../../../sdk/ids/index.js";
import { type Cgroup, type CgroupHost, openCgroups } from "../../../sdk/node-cgroup/index.js";
import type { CageDirectories } from "./linux-command.js";

export interface CagesOptions {
  /** Mount root of cgroup hierarchies. */
  readonly hierarchy: string;
  /** Group that containers' groups are made in. */
  readonly root: string;
}

/**
 * The group of each container: in the freezer's hierarchy on v1, in the one hierarchy on v2. Nothing is ended in there that no record of
 * this agent names: other agents may have the same root.
 */
export class Cages {
  private host: CgroupHost | undefined;

  constructor(private readonly options: CagesOptions) {}

  /** Gives what is missing on this host, in one line; undefined when nothing is. */
  async open(): Promise<string | undefined> {
    this.host = await openCgroups({ hierarchy: this.options.hierarchy });
    const lack = this.host.lack("freezer");
    if (lack === undefined) this.host.group(this.options.root, ["freezer"]).create();
    return lack;
  }

  async close(): Promise<void> {
    await this.host?.close();
  }

  /** @param of a container, or the path of its group as an earlier run recorded it */
  group(of: { readonly containerId: string } | { readonly path: string }): Cgroup {
    const path = "path" in of ? of.path : join(this.options.root, containerCgroup(of.containerId));
    return this.opened().group(path, ["freezer"]);
  }

  directories(containerId: string): CageDirectories {
    const group = this.group({ containerId });
    const mount = this.opened().mountPoint("freezer")!;
    const directory = join(mount, group.path);
    const [root] = containerId.split(".");
    return {
      path: group.path,
      above: isWithinAnother(containerId) ? [dirname(directory)] : [],
      made: [...new Set([directory, ...group.directories])],
      outermost: join(mount, this.options.root, root!),
    };
  }

  private opened(): CgroupHost {
    if (this.host === undefined) throw new Error("the linux launcher is not started");
    return this.host;
  }
}
