import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { pathInside, SafeDirectory } from "../../sdk/safe-files/index.js";
import { persistentVolumes } from "../../sdk/volumes/index.js";
import { mountPoint } from "./mount-point.js";
import { type AskedVolume, volumesOf } from "./volumes-of.js";

export interface SandboxPathOptions {
  readonly workDir: string;
  readonly sandboxDirectory: string;
  /** Containers have mounts of their own: `filesystem/linux` is there. */
  readonly mounts: boolean;
}

/** Directories of a sandbox at another place in the container. */
export class SandboxPathVolumes implements Isolator {
  readonly name = "volume/sandbox_path";
  readonly nesting = true;

  constructor(private readonly options: SandboxPathOptions) {}

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const mounts: ContainerMount[] = [];
    for (const asked of volumesOf(request, "sandbox-path")) {
      const mount = await this.place(request, asked);
      if (mount !== undefined) mounts.push(mount);
    }
    return mounts.length === 0 ? undefined : { namespaces: ["mount"], mounts };
  }

  /** Undefined: it is there already, as a link. */
  private async place(
    request: ContainerRequest,
    { volume, source: { of, path }, readOnly }: AskedVolume<"sandbox-path">,
  ): Promise<ContainerMount | undefined> {
    const absolute = volume.container_path?.startsWith("/") === true;
    if (of === "parent" && request.within === undefined)
      throw new Error("SANDBOX_PATH volume PARENT type only works for nested container");
    if (of === "self" && !absolute)
      throw new Error("'container_path' is relative for SANDBOX_PATH volume SELF type");
    const { mounts, sandboxDirectory, workDir } = this.options;
    if (!mounts && absolute)
      throw new Error(
        "The 'linux' launcher and 'filesystem/linux' isolator must be enabled to support SANDBOX_PATH volume with absolute container path",
      );
    const inside = pathInside(path);
    if (inside === undefined)
      throw new Error(`Path '${path}' in SANDBOX_PATH volume does not lead into the sandbox`);
    const place =
      of === "parent"
        ? placeIn(request.within!.request, inside, workDir)
        : { root: request.directory, path: inside, readOnly: false };
    const kind = await source(place.root, place.path);
    const whole = join(place.root, place.path);
    if (!mounts) {
      link(request.directory, { to: whole, path: volume.container_path ?? "" });
      return undefined;
    }
    const point = await mountPoint(request, volume, { kind, sandboxDirectory });
    return { source: whole, ...point, options: ["rbind", ...(readOnly || place.readOnly ? ["ro"] : [])] };
  }
}

interface Place {
  /** Host path of a directory; what is below it is the container's. */
  readonly root: string;
  /** Relative to that; empty for itself. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** What a container finds at a path of its sandbox, where others can get at it too: its volumes are mounted in it alone. */
function placeIn(request: ContainerRequest, path: string, workDir: string): Place {
  const { within, resources, directory } = request;
  if (within === undefined) {
    for (const volume of persistentVolumes(resources, workDir)) {
      const rest = below(volume.containerPath, path);
      if (rest !== undefined) return { root: volume.path, path: rest, readOnly: volume.readOnly };
    }
    return { root: directory, path, readOnly: false };
  }
  for (const { volume, source: asked, readOnly } of volumesOf(request, "sandbox-path")) {
    const from = pathInside(asked.path);
    const rest = asked.of === "parent" && from !== undefined && below(volume.container_path ?? "", path);
    if (typeof rest !== "string") continue;
    const place = placeIn(within.request, join(from!, rest), workDir);
    return { ...place, readOnly: readOnly || place.readOnly };
  }
  return { root: directory, path, readOnly: false };
}

/** The rest of a path that is at or below another one. */
function below(top: string, path: string): string | undefined {
  const inside = pathInside(top);
  if (inside === path) return "";
  return inside !== undefined && path.startsWith(`${inside}/`) ? path.slice(inside.length + 1) : undefined;
}

function link(sandbox: string, { to, path }: { to: string; path: string }): void {
  const inside = pathInside(path);
  if (inside === undefined) throw new Error(`The container path '${path}' does not lead into the sandbox`);
  new SafeDirectory(sandbox).link(inside, to);
}

/** What is there, or made for the sandbox's owner. Fetched archives may have brought links that lead out of the sandbox. */
async function source(sandbox: string, path: string): Promise<"directory" | "file"> {
  if (path === "") return "directory";
  const directory = new SafeDirectory(sandbox);
  if (directory.leadsThroughLink(path))
    throw new Error(`Path '${path}' in SANDBOX_PATH volume leads through a symbolic link`);
  const found = await stat(join(sandbox, path)).catch(() => undefined);
  if (found !== undefined) return found.isDirectory() ? "directory" : "file";
  const { uid, gid } = await stat(sandbox);
  directory.makeDirectory(path, { owner: { uid, gid } });
  return "directory";
}
