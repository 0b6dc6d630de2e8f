import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { RootFilesystem } from "../../sdk/contracts/contribution.js";
import type { RootfsBackend } from "../../sdk/contracts/image.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { removeTree } from "./remove-tree.js";

/** The only layer of an image itself, which nobody can write to. */
export class BindBackend implements RootfsBackend {
  constructor(private readonly removeErrors: Counter) {}

  async unusable(_directory: string): Promise<string | undefined> {
    return process.geteuid?.() === 0 ? undefined : "mounting takes root: run the agent as root";
  }

  async create({ layers, directory }: Parameters<RootfsBackend["create"]>[0]): Promise<RootFilesystem> {
    const [layer, ...more] = layers;
    if (layer === undefined || more.length > 0) {
      throw new TepuiError("TEPUI_IMAGE_INVALID", {
        detail: `it has ${layers.length} layers, and the bind backend takes one only; use --image_provisioner_backend=overlay`,
      });
    }
    const path = join(directory, "rootfs");
    await mkdir(path);
    return { path, mounts: [{ source: layer, target: path, options: ["bind", "ro"] }] };
  }

  async remove(directory: string): Promise<void> {
    try {
      await removeTree(directory);
    } catch (error) {
      this.removeErrors.inc();
      throw error;
    }
  }
}
