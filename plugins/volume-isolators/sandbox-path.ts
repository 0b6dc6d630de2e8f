import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { pathInside, SafeDirectory } from "../../sdk/safe-files/index.js";
import { mountPoint } from "./mount-point.js";
import { type AskedVolume, volumesOf } from "./volumes-of.js";

export interface SandboxPathOptions {
  readonly sandboxDirectory: string;
  /** Containers have mounts of their own: `filesystem/linux` is there. */
  readonly mounts: boolean;
}

/** Directories of a sandbox at another place in the container. */
export class SandboxPathVolumes implements Isolator {
  readonly name = "volume/sandbox_path";

  constructor(private readonly options: SandboxPathOptions) {}

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const mounts: ContainerMount[] = [];
    for (const asked of volumesOf(request, "sandbox-path")) mounts.push(await this.mount(request, asked));
    return mounts.length === 0 ? undefined : { namespaces: ["mount"], mounts };
  }

  private async mount(
    request: ContainerRequest,
    { volume, source: { of, path }, readOnly }: AskedVolume<"sandbox-path">,
  ): Promise<ContainerMount> {
    if (of === "parent") throw new Error("SANDBOX_PATH volume PARENT type only works for nested container");
    if (!volume.container_path?.startsWith("/"))
      throw new Error("'container_path' is relative for SANDBOX_PATH volume SELF type");
    const { mounts, sandboxDirectory } = this.options;
    if (!mounts)
      throw new Error(
        "The 'linux' launcher and 'filesystem/linux' isolator must be enabled to support SANDBOX_PATH volume with absolute container path",
      );
    const inside = pathInside(path);
    if (inside === undefined)
      throw new Error(`Path '${path}' in SANDBOX_PATH volume does not lead into the sandbox`);
    const kind = await source(request.directory, inside);
    const point = await mountPoint(request, volume, { kind, sandboxDirectory });
    return {
      source: join(request.directory, inside),
      ...point,
      options: ["rbind", ...(readOnly ? ["ro"] : [])],
    };
  }
}

/** What is there, or made for the sandbox's owner. Fetched archives may have brought links that lead out of the sandbox. */
async function source(sandbox: string, path: string): Promise<"directory" | "file"> {
  const directory = new SafeDirectory(sandbox);
  if (directory.leadsThroughLink(path))
    throw new Error(`Path '${path}' in SANDBOX_PATH volume leads through a symbolic link`);
  const found = await stat(join(sandbox, path)).catch(() => undefined);
  if (found !== undefined) return found.isDirectory() ? "directory" : "file";
  const { uid, gid } = await stat(sandbox);
  directory.makeDirectory(path, { owner: { uid, gid } });
  return "directory";
}
