import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Volume } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution } from "../../sdk/contracts/contribution.js";
import { SafeDirectory } from "../../sdk/safe-files/index.js";
import { PosixFilesystem } from "./posix.js";

/**
 * Mesos's old way to a private `/tmp`: containers in the host's file system, of which some directories are replaced by others. Persistent
 * volumes are links, as in `filesystem/posix`.
 */
export class SharedFilesystem extends PosixFilesystem {
  override readonly name = "filesystem/shared";

  override async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const links = await super.prepare(request);
    if (request.container === undefined) return links;
    const mounts: ContainerMount[] = [];
    const places = [request.directory];
    for (const volume of request.container.volumes) {
      const target = volume.container_path ?? "";
      const owner = await stat(target).catch(() => undefined);
      if (!target.startsWith("/") || owner === undefined)
        throw new Error(
          `Volume with container path '${target}' must exist on host for shared filesystem isolator`,
        );
      for (const place of places) {
        const [below, above] = isAt(target, place) ? [target, place] : [place, target];
        if (isAt(below, above))
          throw new Error(`Cannot mount volume to '${below}' because it is under volume '${above}'`);
      }
      places.push(target);
      const source = await hostPath(volume, { sandbox: request.directory, target, owner });
      mounts.push({ source, target, options: ["rbind"] });
    }
    return { ...links, namespaces: ["mount"], mounts };
  }
}

/** Mesos makes the directories of relative host paths, for whom the directory that they replace belongs to. */
async function hostPath(
  { host_path: path }: Volume,
  at: { sandbox: string; target: string; owner: { uid: number; gid: number; mode: number } },
): Promise<string> {
  if (path === undefined)
    throw new Error(
      `Volume with container path '${at.target}' must specify host path for shared filesystem isolator`,
    );
  if (path.startsWith("/")) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined) return path;
    throw new Error(
      `Volume with container path '${at.target}' must have host path '${path}' present on host for shared filesystem isolator`,
    );
  }
  const steps = path.replace(/\/+$/, "").split("/");
  if (steps.some((step) => step === "" || step === "." || step === ".."))
    throw new Error(`Relative host path '${join(at.sandbox, path)}' cannot contain relative components`);
  const { uid, gid, mode } = at.owner;
  new SafeDirectory(at.sandbox).makeDirectory(steps.join("/"), { owner: { uid, gid }, mode: mode & 0o7777 });
  return join(at.sandbox, ...steps);
}

const isAt = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`);
