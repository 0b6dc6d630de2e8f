import { stat } from "node:fs/promises";
import { messageOf } from "../errors/index.js";
import { z } from "../plugin/index.js";
import { unavailableIsolation } from "./isolation.js";

/** The form of `--allowed_devices`, Mesos's DeviceWhitelist. */
export const allowedDevices = z.object({
  allowed_devices: z
    .array(
      z.object({
        device: z.object({
          path: z.string({ error: "whitelisted device has no device path provided" }),
        }),
        access: z
          .object({
            read: z.boolean().optional(),
            write: z.boolean().optional(),
            mknod: z.boolean().optional(),
          })
          .refine(({ read, write, mknod }) => read === true || write === true || mknod === true, {
            error: "a device must be allowed to be read, written or made (mknod)",
          }),
      }),
    )
    .default([]),
});

/** A device of the host, as the kernel knows it. */
export interface HostDevice {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
}

/** What the operator allows every container. */
export interface AllowedDevice {
  readonly path: string;
  readonly read: boolean;
  readonly write: boolean;
  readonly mknod: boolean;
}

export const devicesOf = (flag: z.output<typeof allowedDevices> | undefined): AllowedDevice[] =>
  (flag?.allowed_devices ?? []).map(({ device, access }) => ({
    path: device.path,
    read: access.read === true,
    write: access.write === true,
    mknod: access.mknod === true,
  }));

/** Looks one of `--allowed_devices` up. Rejects with TEPUI_ISOLATION_UNAVAILABLE naming it and the isolator when it is not there. */
export async function findAllowedDevice(isolator: string, path: string): Promise<HostDevice> {
  const need = (why: string) =>
    unavailableIsolation(isolator, `the device '${path}' of --allowed_devices, ${why}`);
  const found = await stat(path).catch((error: unknown) => {
    throw need(`which cannot be found: ${messageOf(error)}`);
  });
  if (!found.isCharacterDevice() && !found.isBlockDevice())
    throw need("which is neither a block nor a character device");
  return { type: found.isBlockDevice() ? "b" : "c", ...deviceNumbers(found.rdev) };
}

/** As the kernel packs a device number for stat(2) on 64-bit Linux. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  };
}
