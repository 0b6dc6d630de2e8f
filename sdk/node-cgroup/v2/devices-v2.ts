import type { DeviceRule, DevicesControl } from "../controls.js";
import type { Helper } from "../helper/helper.js";
import { deviceProgram } from "./device-program.js";

export class DevicesV2 implements DevicesControl {
  constructor(
    readonly directory: string,
    readonly helper: Helper,
  ) {}

  async set(rules: readonly DeviceRule[]): Promise<void> {
    await this.helper.setDevices(this.directory, deviceProgram(rules));
  }
}
