import type { Contribution } from "../../sdk/contracts/contribution.js";
import { messageOf } from "../../sdk/errors/index.js";
import { type AllowedDevice, findAllowedDevice, unavailableIsolation } from "../../sdk/isolation/index.js";
import type { Cgroup, DeviceRule } from "../../sdk/node-cgroup/index.js";
import { GroupIsolator, type GroupIsolatorOptions } from "./group-isolator.js";

const character = (major: number, minor?: number): DeviceRule => ({ type: "c", major, minor, access: "rwm" });

/** What every container may use. Making nodes is for CAP_MKNOD to forbid: it is of no use without the right to open them. */
const EVERYBODYS: readonly DeviceRule[] = [
  { type: "c", access: "m" },
  { type: "b", access: "m" },
  // console, tty0, tty1, pts/*, ptmx
  character(5, 1),
  character(4, 0),
  character(4, 1),
  character(136),
  character(5, 2),
  // net/tun
  character(10, 200),
  // null, zero, full, tty, urandom, random
  character(1, 3),
  character(1, 5),
  character(1, 7),
  character(5, 0),
  character(1, 9),
  character(1, 8),
];

/** `cgroups/devices`: a container opens no device but the harmless ones, the operator's and those that other isolators gave it. */
export class DevicesIsolator extends GroupIsolator {
  private rules: readonly DeviceRule[] = EVERYBODYS;
  private readonly allowed: readonly AllowedDevice[];

  constructor(options: GroupIsolatorOptions & { readonly allowed: readonly AllowedDevice[] }) {
    super(options);
    this.allowed = options.allowed;
  }

  override async start(trial: Cgroup): Promise<void> {
    const operators = await Promise.all(this.allowed.map((device) => this.ruleOf(device)));
    this.rules = [...EVERYBODYS, ...operators];
    try {
      await trial.devices.set(this.rules);
    } catch (error) {
      throw unavailableIsolation(
        this.name,
        `a kernel that lets it set rules for devices: ${messageOf(error)}`,
      );
    }
  }

  isolate(containerId: string, _pid: number, plan: Contribution): Promise<void> {
    return this.replan(containerId, plan);
  }

  async replan(containerId: string, plan: Pick<Contribution, "devices">): Promise<void> {
    const group = this.groups.of(containerId, this.controllers);
    await group?.devices.set([...this.rules, ...(plan.devices ?? [])]);
  }

  private async ruleOf({ path, read, write, mknod }: AllowedDevice): Promise<DeviceRule> {
    const access = `${read ? "r" : ""}${write ? "w" : ""}${mknod ? "m" : ""}`;
    return { ...(await findAllowedDevice(this.name, path)), access };
  }
}
