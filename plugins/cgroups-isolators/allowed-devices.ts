import { stat } from "node:fs/promises";
import { messageOf } from "../../sdk/errors/index.js";
import { unavailableIsolation } from "../../sdk/isolation/index.js";
import type { DeviceRule } from "../../sdk/node-cgroup/index.js";
import { z } from "../../sdk/plugin/index.js";

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

export type AllowedDevices = z.output<typeof allowedDevices>;

/** Looks the devices up. Rejects with TEPUI_ISOLATION_UNAVAILABLE naming the one that is not there. */
export async function deviceRules(
  isolator: string,
  allowed: AllowedDevices | undefined,
): Promise<DeviceRule[]> {
  return Promise.all(
    (allowed?.allowed_devices ?? []).map(async ({ device: { path }, access }) => {
      const need = (why: string) =>
        unavailableIsolation(isolator, `the device '${path}' of --allowed_devices, ${why}`);
      const found = await stat(path).catch((error: unknown) => {
        throw need(`which cannot be found: ${messageOf(error)}`);
      });
      if (!found.isCharacterDevice() && !found.isBlockDevice())
        throw need("which is neither a block nor a character device");
      return {
        type: found.isBlockDevice() ? ("b" as const) : ("c" as const),
        ...numbersOf(found.rdev),
        access: `${access.read === true ? "r" : ""}${access.write === true ? "w" : ""}${access.mknod === true ? "m" : ""}`,
      };
    }),
  );
}

/** As the kernel packs a device number for stat(2) on 64-bit Linux. */
export function numbersOf(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  };
}
