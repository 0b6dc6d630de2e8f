import type { ContainerStatus } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { containerName } from "../../sdk/ids/index.js";
import type { Cgroup } from "../../sdk/node-cgroup/index.js";
import { GroupIsolator, type GroupIsolatorOptions } from "./group-isolator.js";
import type { NetClsHandles } from "./net-cls-handles.js";

/** `cgroups/net_cls`: marks a container's packets with a class of traffic of its own, which tc(8) and iptables(8) can tell apart. */
export class NetClsIsolator extends GroupIsolator {
  private readonly handles: NetClsHandles | undefined;
  /** By container. */
  private readonly given = new Map<string, number>();

  /** @param options without `handles` classes are the operator's to set */
  constructor(options: GroupIsolatorOptions & { readonly handles: NetClsHandles | undefined }) {
    super(options);
    this.handles = options.handles;
  }

  async status(containerId: string): Promise<Partial<ContainerStatus>> {
    const classid = this.given.get(this.groups.home(containerId));
    return classid === undefined ? {} : { cgroup_info: { net_cls: { classid } } };
  }

  protected override setUp(group: Cgroup, { containerId }: ContainerRequest): undefined {
    if (this.handles === undefined) return;
    const handle = this.handles.allocate();
    if (handle === undefined)
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
        detail: "all handles of --cgroups_net_cls_secondary_handles are in use",
      });
    this.given.set(containerName(containerId), handle);
    group.netCls.setClassId(handle);
  }

  protected override takeBack(group: Cgroup, { containerId }: ContainerRequest): void {
    const handle = group.netCls.classId();
    if (handle === 0) return;
    if (this.handles !== undefined && !this.handles.reserve(handle)) {
      const container = containerName(containerId);
      this.logger.warn(
        { container, handle },
        "a container keeps a net_cls handle that is not among those of the flags",
      );
    }
    this.given.set(containerName(containerId), handle);
  }

  protected override forget(containerId: string): void {
    const handle = this.given.get(containerId);
    this.given.delete(containerId);
    if (handle !== undefined) this.handles?.free(handle);
  }
}
