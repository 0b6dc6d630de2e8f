import { stat } from "node:fs/promises";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution, DeviceNode } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import type { AllowedDevice } from "./allowed-devices.js";

const OWNER = 0o600;
const READ = 0o044;
const WRITE = 0o022;

/** `linux/devices`: containers with a root file system of their own find the operator's `--allowed_devices` in their `/dev`. */
export class DevicesIsolator implements Isolator {
  readonly name = "linux/devices";
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
    const unavailable = (why: string): TepuiError =>
      new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", {
        detail: `${this.name}: --allowed_devices names '${path}', ${why}`,
      });
    if (path === undefined) throw unavailable("which has no path");
    const found = await stat(path).catch((error: unknown) => {
      throw unavailable(`which cannot be found: ${messageOf(error)}`);
    });
    if (!found.isCharacterDevice() && !found.isBlockDevice()) {
      throw unavailable("which is not a block or character device");
    }
    return {
      path,
      type: found.isBlockDevice() ? "b" : "c",
      ...numbersOf(found.rdev),
      mode: OWNER | (read ? READ : 0) | (write ? WRITE : 0),
    };
  }
}

/** As the kernel packs a device number for stat(2) on 64-bit Linux. */
function numbersOf(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  };
}
