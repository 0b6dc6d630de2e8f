import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { TepuiError } from "../../sdk/errors/index.js";
import { deviceNumbers } from "../../sdk/isolation/index.js";

/** A device node of the driver. */
export interface NvidiaDevice {
  /** As containers see it: `/dev/nvidia0`. */
  readonly path: string;
  readonly major: number;
  readonly minor: number;
}

export interface Gpu extends NvidiaDevice {
  /** What `--nvidia_gpu_devices` and `NVIDIA_VISIBLE_DEVICES` count: GPUs in the order of their PCI addresses. */
  readonly index: number;
  readonly uuid: string | undefined;
  readonly model: string | undefined;
}

/** What this host's NVIDIA driver has. */
export interface NvidiaHost {
  readonly gpus: readonly Gpu[];
  /** Without these no GPU can be used: `/dev/nvidiactl`, `/dev/nvidia-uvm`, and others where they exist. */
  readonly controls: readonly NvidiaDevice[];
  readonly driverVersion: string | undefined;
}

const NEEDED_CONTROLS = ["nvidiactl", "nvidia-uvm"];
const FURTHER_CONTROLS = ["nvidia-uvm-tools", "nvidia-modeset"];

/**
 * Looks at `/proc/driver/nvidia` and `/dev`, which the driver's kernel module fills; needs no library of NVIDIA's. Undefined where there is no
 * driver. Rejects with TEPUI_ISOLATION_UNAVAILABLE where part of it is missing.
 *
 * @param root `/`, or a directory that stands in for it
 */
export async function findNvidia(root: string): Promise<NvidiaHost | undefined> {
  const described = await describedGpus(root);
  const minors = described.length > 0 ? described : await unnamedGpus(root);
  if (minors.length === 0) return undefined;
  const gpus = await Promise.all(
    minors.map(async ({ minor, uuid, model }, index): Promise<Gpu> => {
      const device = await deviceAt(root, `nvidia${minor}`);
      if (device === undefined)
        throw unavailable(`/dev/nvidia${minor} is missing; run nvidia-modprobe -c ${minor}`);
      return { ...device, index, uuid, model };
    }),
  );
  const needed = await Promise.all(
    NEEDED_CONTROLS.map(async (name) => {
      const device = await deviceAt(root, name);
      if (device === undefined) throw unavailable(`/dev/${name} is missing; run nvidia-modprobe -u -c 0`);
      return device;
    }),
  );
  const further = await Promise.all(FURTHER_CONTROLS.map((name) => deviceAt(root, name)));
  return {
    gpus,
    controls: [...needed, ...further.filter((device) => device !== undefined)],
    driverVersion: await driverVersion(root),
  };
}

interface Described {
  readonly minor: number;
  readonly uuid: string | undefined;
  readonly model: string | undefined;
}

/** One folder for each GPU, named by its PCI address. */
async function describedGpus(root: string): Promise<Described[]> {
  const folder = join(root, "proc/driver/nvidia/gpus");
  const addresses = await readdir(folder).catch(() => []);
  const found: Described[] = [];
  for (const address of addresses.sort()) {
    const text = await readFile(join(folder, address, "information"), "utf8").catch(() => "");
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}:\\s*(.+?)\\s*$`, "m").exec(text)?.[1];
    const minor = Number(field("Device Minor") ?? Number.NaN);
    if (Number.isInteger(minor)) found.push({ minor, uuid: field("GPU UUID"), model: field("Model") });
  }
  return found;
}

/** Containers may be shown the nodes without the driver's folder. */
async function unnamedGpus(root: string): Promise<Described[]> {
  const names = await readdir(join(root, "dev")).catch(() => []);
  return names
    .flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
    .map((minor) => ({ minor, uuid: undefined, model: undefined }));
}

async function deviceAt(root: string, name: string): Promise<NvidiaDevice | undefined> {
  const found = await stat(join(root, "dev", name)).catch(() => undefined);
  if (found === undefined || !found.isCharacterDevice()) return undefined;
  return { path: `/dev/${name}`, ...deviceNumbers(found.rdev) };
}

async function driverVersion(root: string): Promise<string | undefined> {
  const text = await readFile(join(root, "proc/driver/nvidia/version"), "utf8").catch(() => "");
  return /Kernel Module.*?\s(\d+\.\d[\d.]*)\s/.exec(text)?.[1];
}

export const unavailable = (lack: string): TepuiError =>
  new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", { detail: `gpu/nvidia: ${lack}` });
