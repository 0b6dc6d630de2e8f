import { realpath, stat } from "node:fs/promises";
import { normalize } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { errnoOf } from "../../sdk/errors/index.js";
import { pathInside, SafeDirectory } from "../../sdk/safe-files/index.js";
import { mountPoint } from "./mount-point.js";
import { mountOf, readMounts } from "./mount-table.js";
import { type AskedVolume, volumesOf } from "./volumes-of.js";

export interface HostPathOptions {
  readonly sandboxDirectory: string;
  /** Directories of the host at and below which missing paths are made. */
  readonly forceCreation: readonly string[];
}

/** Directories and files of the host in containers. */
export class HostPathVolumes implements Isolator {
  readonly name = "volume/host_path";
  readonly nesting = true;

  constructor(private readonly options: HostPathOptions) {}

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const mounts: ContainerMount[] = [];
    for (const asked of volumesOf(request, "host-path")) {
      const mount = await this.mount(request, asked);
      if (mount !== undefined) mounts.push(mount);
    }
    return mounts.length === 0 ? undefined : { namespaces: ["mount"], mounts };
  }

  private async mount(
    request: ContainerRequest,
    { volume, source: { path, bidirectional }, readOnly }: AskedVolume<"host-path">,
  ): Promise<ContainerMount | undefined> {
    const kind = await this.existing(path);
    const { sandboxDirectory } = this.options;
    const point = await mountPoint(request, volume, { kind, sandboxDirectory });
    if (bidirectional) await requireShared(path);
    // It is there already, with all that is mounted below it.
    if (request.image === undefined && normalize(path) === point.target && !readOnly && !bidirectional)
      return undefined;
    const options = ["rbind", ...(readOnly ? ["ro"] : []), bidirectional ? "rshared" : "rslave"];
    return { source: path, ...point, options };
  }

  private async existing(path: string): Promise<"directory" | "file"> {
    const found = await stat(path).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    if (found !== undefined) return found.isDirectory() ? "directory" : "file";
    const { forceCreation } = this.options;
    if (forceCreation.length === 0) throw new Error(`Path '${path}' in HOST_PATH volume does not exist`);
    const wanted = normalize(path).replace(/\/$/, "");
    const root = forceCreation.find((allowed) => wanted === allowed || wanted.startsWith(`${allowed}/`));
    if (root === undefined)
      throw new Error(
        `Path '${path}' in HOST_PATH volume does not exist and is not whitelisted for creation: Path '${wanted}' is not whitelisted`,
      );
    const rest = pathInside(wanted.slice(root.length + 1));
    if (rest === undefined) throw new Error(`The directory '${root}' of the whitelist does not exist`);
    // Others may write below the listed directory: none of their links is to lead elsewhere.
    new SafeDirectory(root).makeDirectory(rest);
    return "directory";
  }
}

/** `/a:/b`, as `--host_path_volume_force_creation` takes it. Throws an Error for what is not an absolute path. */
export function parseForceCreation(text: string): string[] {
  return text
    .split(":")
    .filter((path) => path !== "")
    .map((path) => {
      const directory = normalize(path).replace(/\/$/, "");
      if (!directory.startsWith("/"))
        throw new Error(`must be absolute paths separated by colons, not '${path}'`);
      return directory;
    });
}

async function requireShared(path: string): Promise<void> {
  if (mountOf(await realpath(path), readMounts())?.shared === true) return;
  throw new Error(
    `Cannot setup bidirectional mount propagation for host path '${path}' because it is not under a shared mount`,
  );
}

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR";
