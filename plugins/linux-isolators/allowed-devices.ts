import { z } from "../../sdk/plugin/index.js";

/** The form of `--allowed_devices`, Mesos's DeviceWhitelist. */
export const allowedDevices = z.object({
  allowed_devices: z
    .array(
      z.object({
        device: z.object({ path: z.string().optional() }),
        access: z
          .object({
            read: z.boolean().optional(),
            write: z.boolean().optional(),
            mknod: z.boolean().optional(),
          })
          .default({}),
      }),
    )
    .default([]),
});

export interface AllowedDevice {
  readonly path: string | undefined;
  readonly read: boolean;
  readonly write: boolean;
}

export const devicesOf = (flag: z.output<typeof allowedDevices> | undefined): AllowedDevice[] =>
  (flag?.allowed_devices ?? []).map(({ device, access }) => ({
    path: device.path,
    read: access.read === true,
    write: access.write === true,
  }));
