import { join, relative } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { ContainerMount, Contribution, RootFilesystem } from "../../sdk/contracts/contribution.js";
import type { Provisioner } from "../../sdk/contracts/image.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { containerName } from "../../sdk/ids/index.js";
import { type MountPoint, mountPoint } from "./mount-point.js";
import { volumesOf } from "./volumes-of.js";

export interface ImageVolumeOptions {
  readonly sandboxDirectory: string;
  readonly provisioner: Provisioner;
}

/** Images as volumes. What the provisioner made of them it removes itself, with the container's root file system. */
export class ImageVolumes implements Isolator {
  readonly name = "volume/image";
  readonly nesting = true;
  private readonly pulls = new Map<string, AbortController>();

  constructor(private readonly options: ImageVolumeOptions) {}

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const asked = volumesOf(request, "image");
    if (asked.length === 0) return undefined;
    const id = containerName(request.containerId);
    const pull = new AbortController();
    this.pulls.set(id, pull);
    const { provisioner, sandboxDirectory } = this.options;
    const mounts = await Promise.all(
      asked.map(async ({ volume, source: { image }, readOnly }) => {
        const point = await mountPoint(request, volume, { kind: "directory", sandboxDirectory });
        const { rootfs } = await provisioner.provision(id, image, { signal: pull.signal });
        return imageMounts(rootfs, point, readOnly);
      }),
    ).finally(() => this.pulls.delete(id));
    return { namespaces: ["mount"], mounts: mounts.flat() };
  }

  async cleanup(containerId: string): Promise<void> {
    this.pulls.get(containerId)?.abort();
  }
}

/** What would be mounted on the way to a root file system, mounted at the volume's place instead. */
function imageMounts(
  { path, mounts }: RootFilesystem,
  { target, create }: MountPoint,
  readOnly: boolean,
): ContainerMount[] {
  const whole = mounts[0]?.target === path;
  const moved = mounts.map((mount) => {
    const below = relative(path, mount.target);
    return { ...mount, target: below === "" ? target : join(target, below) };
  });
  const [first, ...rest] = whole
    ? moved
    : [{ source: path, target, options: ["rbind"] } as ContainerMount, ...moved];
  const options = [...(first?.options ?? []), ...(readOnly ? ["ro"] : [])];
  return [{ ...first!, options, create }, ...rest];
}
