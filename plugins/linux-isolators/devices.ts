import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution, DeviceNode } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { type AllowedDevice, findAllowedDevice } from "../../sdk/isolation/index.js";

const OWNER = 0o600;
const READ = 0o044;
const WRITE = 0o022;

/** `linux/devices`: containers with a root file system of their own find the operator's `--allowed_devices` in their `/dev`. */
export class DevicesIsolator implements Isolator {
  readonly name = "linux/devices";
  readonly nesting = true;
  private nodes: readonly DeviceNode[] = [];

  constructor(private readonly allowed: readonly AllowedDevice[]) {}

  /** Looks the devices up. Rejects with TEPUI_ISOLATION_UNAVAILABLE naming the one that is not there. */
  async start(): Promise<void> {
    this.nodes = await Promise.all(this.allowed.map((device) => this.nodeOf(device)));
  }

  async prepare({ image }: ContainerRequest): Promise<Contribution | undefined> {
    return image === undefined || this.nodes.length === 0 ? undefined : { deviceNodes: this.nodes };
  }

  private async nodeOf({ path, read, write }: AllowedDevice): Promise<DeviceNode> {
    return {
      path,
      ...(await findAllowedDevice(this.name, path)),
      mode: OWNER | (read ? READ : 0) | (write ? WRITE : 0),
    };
  }
}
