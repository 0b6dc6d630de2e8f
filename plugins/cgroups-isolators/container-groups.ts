import { join } from "node:path/posix";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Cgroup, CgroupHost, Controller } from "../../sdk/node-cgroup/index.js";
import { endProcesses } from "./end-processes.js";
import type { Markers } from "./markers.js";

export interface ContainerGroupsOptions {
  /** `--cgroups_root`, without slashes at its ends. */
  readonly root: string;
  /** `--cgroups_destroy_timeout`, milliseconds. */
  readonly destroyTimeout: number;
  /** Of a group that is no container's, and no other agent's. */
  readonly trialName: string;
  readonly markers: Markers;
  readonly logger: Logger;
}

interface Entry {
  readonly group: Cgroup;
  /** Names of the isolators that use it; with the last of them it goes. */
  readonly users: Set<string>;
}

/** The one cgroup of each container, `<root>/<container id>` in every hierarchy, which all isolators of the family share. */
export class ContainerGroups {
  private readonly entries = new Map<string, Entry>();
  private opened: CgroupHost | undefined;
  private controllers: readonly Controller[] = [];
  private recovery: Promise<void> | undefined;

  constructor(private readonly options: ContainerGroupsOptions) {}

  /** @param controllers those of all active isolators */
  open(host: CgroupHost, controllers: readonly Controller[]): void {
    this.opened = host;
    this.controllers = controllers;
    this.options.markers.prepare();
  }

  get host(): CgroupHost {
    if (this.opened === undefined) throw new Error("cgroups are used before the plugin has started");
    return this.opened;
  }

  /** A cgroup like those of containers, of nobody: to see whether this host can do what is asked of it. It is to be destroyed. */
  trial(): Cgroup {
    const group = this.host.group(this.path(this.options.trialName), this.controllers);
    group.create();
    return group;
  }

  /** The container's cgroup, made by the first isolator that asks: `made` is true for that one. */
  enter(containerId: string, isolator: string): { group: Cgroup; made: boolean } {
    const known = this.entries.get(containerId);
    if (known !== undefined) {
      known.users.add(isolator);
      return { group: known.group, made: false };
    }
    const group = this.host.group(this.path(containerId), this.controllers);
    // Known before it exists: what a failure leaves half done is removed by the clean-up.
    this.entries.set(containerId, { group, users: new Set([isolator]) });
    this.options.markers.put(containerId);
    group.create();
    return { group, made: true };
  }

  /** Undefined for an unknown container, and for one from before these controllers were asked for. */
  of(containerId: string, controllers: readonly Controller[]): Cgroup | undefined {
    const group = this.entries.get(containerId)?.group;
    return controllers.every((controller) => group?.controllers.includes(controller)) ? group : undefined;
  }

  /** Ends a use; after the last one the cgroup is removed, with whatever still runs in it. */
  async leave(containerId: string, isolator: string): Promise<void> {
    const entry = this.entries.get(containerId);
    if (entry === undefined || !entry.users.delete(isolator) || entry.users.size > 0) return;
    this.entries.delete(containerId);
    await this.remove(containerId);
  }

  /** Makes known the cgroups that an earlier run left to these containers, and removes those of all its others. Once. */
  recover(containerIds: readonly string[]): Promise<void> {
    this.recovery ??= this.recoverOnce(new Set(containerIds));
    return this.recovery;
  }

  /** For an isolator, after `recover`: the container's cgroup, where it has what the isolator needs. */
  retake(containerId: string, isolator: string, controllers: readonly Controller[]): Cgroup | undefined {
    this.entries.get(containerId)?.users.add(isolator);
    return this.of(containerId, controllers);
  }

  private async recoverOnce(containerIds: ReadonlySet<string>): Promise<void> {
    const { markers, logger } = this.options;
    for (const id of containerIds) {
      const path = this.path(id);
      const present = this.controllers.filter((controller) => this.host.group(path, [controller]).exists());
      if (present.length < this.controllers.length) {
        const absent = this.controllers.filter((controller) => !present.includes(controller));
        logger.warn(
          { container: id, controllers: absent.join(",") },
          "a container has no cgroup of some controllers",
        );
      }
      this.entries.set(id, { group: this.host.group(path, present), users: new Set() });
      markers.put(id);
    }
    for (const id of markers.list()) {
      if (containerIds.has(id)) continue;
      logger.info({ container: id }, "removing the cgroup of a container that nobody knows");
      try {
        await this.remove(id);
      } catch (error) {
        // The mark stays: the next start tries again.
        logger.error({ err: error, container: id }, "an orphan cgroup could not be removed");
      }
    }
  }

  private async remove(containerId: string): Promise<void> {
    const { destroyTimeout, markers } = this.options;
    const group = this.host.group(this.path(containerId), this.controllers);
    await endProcesses(this.host, group, destroyTimeout);
    await group.destroy({ timeoutMs: destroyTimeout });
    markers.remove(containerId);
  }

  private path(containerId: string): string {
    return join(this.options.root, containerId);
  }
}
