import type { ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { containerName } from "../../sdk/ids/index.js";
import type { Cgroup, Controller } from "../../sdk/node-cgroup/index.js";
import type { ContainerGroups } from "./container-groups.js";
import { groupMounts } from "./group-mounts.js";

/** What the isolators of the family are made with. */
export interface GroupIsolatorOptions {
  /** As in `--isolation`. */
  readonly name: string;
  readonly controllers: readonly Controller[];
  readonly groups: ContainerGroups;
  readonly logger: Logger;
}

/**
 * An isolator that gives a container a cgroup of its controllers, and nothing more: that others may limit or measure it. Those below
 * that do more fill in the protected methods.
 */
export class GroupIsolator implements Isolator {
  readonly name: string;
  readonly nesting = true;
  readonly controllers: readonly Controller[];
  protected readonly groups: ContainerGroups;
  protected readonly logger: Logger;

  constructor({ name, controllers, groups, logger }: GroupIsolatorOptions) {
    this.name = name;
    this.controllers = controllers;
    this.groups = groups;
    this.logger = logger;
  }

  /**
   * Before any container: finds out, on a cgroup of nobody, whether this host has what the isolator needs. Rejects with
   * TEPUI_ISOLATION_UNAVAILABLE.
   */
  async start(_trial: Cgroup): Promise<void> {}

  async stop(): Promise<void> {}

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const requests = containers.map(({ request }) => request);
    await this.groups.recover(requests);
    for (const request of requests) {
      const group = this.groups.retake(containerName(request.containerId), this.name, this.controllers);
      if (group !== undefined) this.takeBack(group, request);
    }
  }

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const { group, made, own: isOwn } = this.groups.enter(request, this.name);
    const own = isOwn ? this.setUp(group, request) : undefined;
    if (!made) return own;
    // One for all isolators.
    const mounts = request.image === undefined ? undefined : groupMounts(this.groups.host, group);
    return { ...own, ...mounts, cgroups: group.directories };
  }

  async usage(containerId: string): Promise<Partial<ResourceStatistics>> {
    const home = this.groups.home(containerId);
    const group = this.groups.of(home, this.controllers);
    if (group === undefined) return {};
    try {
      return this.measure(group, home);
    } catch (error) {
      // What the other isolators know is told all the same. A container that is ending has its files taken away.
      this.logger.debug({ err: error, container: containerId, isolator: this.name }, "no statistics");
      return {};
    }
  }

  async cleanup(containerId: string): Promise<void> {
    this.forget(containerId);
    await this.groups.leave(containerId, this.name);
  }

  /** Sets what holds from the start: nobody is in the group yet. */
  protected setUp(_group: Cgroup, _request: ContainerRequest): Contribution | undefined {
    return undefined;
  }

  protected takeBack(_group: Cgroup, _request: ContainerRequest): void {}

  protected measure(_group: Cgroup, _containerId: string): Partial<ResourceStatistics> {
    return {};
  }

  protected forget(_containerId: string): void {}
}
