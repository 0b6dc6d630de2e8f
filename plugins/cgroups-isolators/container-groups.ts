import { join } from "node:path/posix";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { containerCgroup, containerName } from "../../sdk/ids/index.js";
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

/**
 * The one cgroup of each container in every hierarchy, which all isolators of the family share: `<root>/<container id>`, and below that of
 * its parent for a container within another, which has one of its own only where it wants one. Otherwise it uses its parent's.
 */
export class ContainerGroups {
  private readonly entries = new Map<string, Entry>();
  /** Containers in the cgroup of another one: that one, by container. */
  private readonly guests = new Map<string, string>();
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

  /** The cgroup of a new container; `made` is true for the first isolator that asks. `own`: it is not another container's. */
  enter(request: ContainerRequest, isolator: string): { group: Cgroup; made: boolean; own: boolean } {
    const containerId = containerName(request.containerId);
    if (isGuest(request)) {
      const made = !this.guests.has(containerId);
      const home = this.settleIn(request);
      const group = this.entries.get(home)?.group ?? this.host.group(this.path(home), []);
      return { group, made, own: false };
    }
    const known = this.entries.get(containerId);
    if (known !== undefined) {
      known.users.add(isolator);
      return { group: known.group, made: false, own: true };
    }
    const group = this.host.group(this.path(containerId), this.controllers);
    // Known before it exists: what a failure leaves half done is removed by the clean-up.
    this.entries.set(containerId, { group, users: new Set([isolator]) });
    this.options.markers.put(containerId);
    group.create();
    return { group, made: true, own: true };
  }

  /** The container whose cgroup this one is in. */
  home(containerId: string): string {
    return this.guests.get(containerId) ?? containerId;
  }

  /** Undefined for an unknown container, and for one from before these controllers were asked for. */
  of(containerId: string, controllers: readonly Controller[]): Cgroup | undefined {
    const group = this.entries.get(containerId)?.group;
    return controllers.every((controller) => group?.controllers.includes(controller)) ? group : undefined;
  }

  /** Ends a use; after the last one the cgroup is removed, with whatever still runs in it. */
  async leave(containerId: string, isolator: string): Promise<void> {
    this.guests.delete(containerId);
    const entry = this.entries.get(containerId);
    if (entry === undefined || !entry.users.delete(isolator) || entry.users.size > 0) return;
    this.entries.delete(containerId);
    await this.remove(containerId);
  }

  /** Makes known the cgroups that an earlier run left to these containers, and removes those of all its others. Once. */
  recover(requests: readonly ContainerRequest[]): Promise<void> {
    this.recovery ??= this.recoverOnce(requests);
    return this.recovery;
  }

  /** For an isolator, after `recover`: the container's cgroup, where it has what the isolator needs. */
  retake(containerId: string, isolator: string, controllers: readonly Controller[]): Cgroup | undefined {
    this.entries.get(containerId)?.users.add(isolator);
    return this.of(containerId, controllers);
  }

  private settleIn({ containerId }: ContainerRequest): string {
    const home = this.home(containerName(containerId.parent!));
    this.guests.set(containerName(containerId), home);
    return home;
  }

  private async recoverOnce(requests: readonly ContainerRequest[]): Promise<void> {
    const { markers, logger } = this.options;
    for (const request of requests) if (isGuest(request)) this.settleIn(request);
    const hosts = requests.filter((request) => !isGuest(request));
    const containerIds = new Set(hosts.map(({ containerId }) => containerName(containerId)));
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
    return join(this.options.root, containerCgroup(containerId));
  }
}

/** As in Mesos, a container within another shares that one's cgroup unless it says otherwise. */
const isGuest = ({ containerId, container }: ContainerRequest): boolean =>
  containerId.parent !== undefined && container?.linux_info?.share_cgroups !== false;
