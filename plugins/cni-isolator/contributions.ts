import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerMount } from "../../sdk/contracts/contribution.js";
import { type ContainerDirectory, NETWORK_FILES } from "./container-directory.js";

const SAFE = ["bind", "nosuid", "nodev", "noexec"];

/** A container's own network files, over those of its image, or over the host's where it has those. */
export async function networkFiles(
  directory: ContainerDirectory,
  { rootfs }: { readonly rootfs: boolean },
): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = [];
  for (const name of NETWORK_FILES) {
    const mount = { source: directory.file(name), options: SAFE };
    if (rootfs) {
      mounts.push({ ...mount, target: join("/etc", name), create: "file" });
      continue;
    }
    // The file itself, where the host has a link: resolv.conf often is one.
    const target = await realpath(join("/etc", name)).catch(() => undefined);
    if (target !== undefined) mounts.push({ ...mount, target });
  }
  return mounts;
}

/** For a container with an image in the host's network: the host's network files, which it cannot change. */
export async function hostFiles(): Promise<ContainerMount[]> {
  const mounts: ContainerMount[] = [];
  for (const name of NETWORK_FILES) {
    const source = await realpath(join("/etc", name)).catch(() => undefined);
    if (source === undefined) continue;
    mounts.push({ source, target: join("/etc", name), options: [...SAFE, "ro"], create: "file" });
  }
  return mounts;
}
