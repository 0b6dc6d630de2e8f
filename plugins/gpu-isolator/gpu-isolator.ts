import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution, DeviceAccess } from "../../sdk/contracts/contribution.js";
import type { ImageConfig } from "../../sdk/contracts/image.js";
import type { ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";
import { containerName, isWithinAnother, rootContainer } from "../../sdk/ids/index.js";
import type { Resources } from "../../sdk/resources/index.js";
import type { DriverFiles } from "./driver-files.js";
import { GpuPool } from "./gpu-pool.js";
import type { Gpu, NvidiaDevice } from "./nvidia-host.js";

/** An image with this label wants the driver's files. */
const NEEDS_DRIVER = "com.nvidia.volumes.needed";
const VOLUME = "/usr/local/nvidia";
const NODE_MODE = 0o666;

/** What the agent has to give away. */
export interface GpuEquipment {
  readonly gpus: readonly Gpu[];
  readonly controls: readonly NvidiaDevice[];
  readonly driverFiles: DriverFiles;
}

/**
 * `gpu/nvidia`: gives a container whole GPUs, opens exactly their device nodes to it, and puts the driver's files into images that ask for
 * them.
 */
export class GpuIsolator implements Isolator {
  readonly name = "gpu/nvidia";
  readonly nesting = true;
  private equipment: GpuEquipment = { gpus: [], controls: [], driverFiles: { binaries: [], libraries: [] } };
  private pool = new GpuPool([]);

  /** @param stateDirectory remembers who has which GPU; of this agent alone */
  constructor(private readonly stateDirectory: string) {}

  /** Once, before anything else. */
  use(equipment: GpuEquipment): void {
    this.equipment = equipment;
    this.pool = new GpuPool(equipment.gpus);
  }

  async recover(containers: readonly RecoverableContainer[]): Promise<void> {
    const { pool, stateDirectory } = this;
    const known = new Set(containers.map(({ request }) => containerName(request.containerId)));
    await mkdir(stateDirectory, { recursive: true });
    for (const id of await readdir(stateDirectory)) {
      if (known.has(id)) pool.restore(id, indicesIn(await readFile(join(stateDirectory, id), "utf8")));
      else await rm(join(stateDirectory, id), { force: true });
    }
  }

  async prepare({ containerId, resources, image }: ContainerRequest): Promise<Contribution | undefined> {
    const gpus =
      containerId.parent === undefined
        ? await this.give(containerName(containerId), resources)
        : // What the outermost container has is all of theirs.
          this.pool.of(containerName(rootContainer(containerId)));
    if (gpus.length === 0) return undefined;
    const devices = [...gpus, ...this.equipment.controls];
    return {
      devices: this.access(gpus),
      environment: { NVIDIA_VISIBLE_DEVICES: gpus.map(({ index }) => index).join(",") },
      ...(image !== undefined && {
        deviceNodes: devices.map(({ path, major, minor }) => ({
          path,
          type: "c",
          major,
          minor,
          mode: NODE_MODE,
        })),
        ...(image.config.labels[NEEDS_DRIVER] !== undefined && this.driver(image.config, gpus)),
      }),
    };
  }

  async update(
    containerId: string,
    { resources }: ContainerUpdate,
  ): Promise<Pick<Contribution, "devices"> | undefined> {
    const before = this.pool.of(containerId);
    if (isWithinAnother(containerId)) return undefined;
    const gpus = await this.give(containerId, resources);
    if (gpus.length === before.length) return undefined;
    return { devices: this.access(gpus) };
  }

  async cleanup(containerId: string): Promise<void> {
    this.pool.release(containerId);
    await rm(this.stateFile(containerId), { force: true });
  }

  /** Written down before anybody uses them. */
  private async give(containerId: string, resources: Resources): Promise<Gpu[]> {
    const { pool, stateDirectory } = this;
    const had = pool.of(containerId).length;
    const gpus = pool.resize(containerId, resources.gpus);
    if (gpus.length === had) return gpus;
    await mkdir(stateDirectory, { recursive: true });
    const file = this.stateFile(containerId);
    await writeFile(`${file}.new`, gpus.map(({ index }) => index).join(","));
    await rename(`${file}.new`, file);
    return gpus;
  }

  private access(gpus: readonly Gpu[]): DeviceAccess[] {
    if (gpus.length === 0) return [];
    return [
      ...gpus.map(({ major, minor }): DeviceAccess => ({ type: "c", major, minor, access: "rw" })),
      ...this.equipment.controls.map(
        ({ major, minor }): DeviceAccess => ({ type: "c", major, minor, access: "rwm" }),
      ),
    ];
  }

  /** A file system in memory with the driver's files in it, each by its own name and by the names that lead to it. */
  private driver({ environment }: ImageConfig, gpus: readonly Gpu[]): Contribution {
    const { binaries, libraries } = this.equipment.driverFiles;
    const mounts: ContainerMount[] = [
      {
        source: "tmpfs",
        target: VOLUME,
        type: "tmpfs",
        options: ["nosuid", "nodev", "mode=755"],
        create: "directory",
      },
    ];
    const symlinks: Record<string, string> = {};
    const add = (folder: string, files: DriverFiles["binaries"]): void => {
      for (const { path, names } of files) {
        const [own, ...others] = names;
        const options = ["bind", "ro", "nosuid", "nodev"];
        mounts.push({ source: path, target: `${VOLUME}/${folder}/${own}`, options, create: "file" });
        for (const name of others) symlinks[`${VOLUME}/${folder}/${name}`] = own!;
      }
    };
    add("bin", binaries);
    add("lib64", libraries);
    const extended = (name: string, more: readonly string[]): string => {
      const given = (environment[name] ?? "").split(":").filter((path) => path !== "");
      return [...given, ...more.filter((path) => !given.includes(path))].join(":");
    };
    return {
      mounts,
      symlinks,
      environment: {
        PATH: extended("PATH", [`${VOLUME}/bin`]),
        LD_LIBRARY_PATH: extended("LD_LIBRARY_PATH", [
          "/usr/local/cuda/compat",
          `${VOLUME}/lib`,
          `${VOLUME}/lib64`,
        ]),
        NVIDIA_VISIBLE_DEVICES: gpus.map(({ index }) => index).join(","),
      },
    };
  }

  private stateFile(containerId: string): string {
    return join(this.stateDirectory, containerId);
  }
}

const indicesIn = (text: string): number[] =>
  text
    .split(",")
    .filter((part) => /^\d+$/.test(part))
    .map(Number);
