import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { RootFilesystem } from "../../sdk/contracts/contribution.js";
import type { RootfsBackend } from "../../sdk/contracts/image.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { COPY_SCRIPT, LGETXATTR } from "./copy-script.js";
import { runProgram } from "./processes.js";
import { removeTree } from "./remove-tree.js";

/** A copy of all files of all layers for each container. Slow and large, and works on every file system. */
export class CopyBackend implements RootfsBackend {
  async unusable(_directory: string): Promise<string | undefined> {
    if (process.geteuid?.() !== 0) return "copying the files of all owners takes root: run the agent as root";
    if (LGETXATTR[process.arch] === undefined) return `the processor ${process.arch} is not known to it`;
    for (const program of ["perl", "cp"]) {
      const { status } = await runProgram(program, ["--version"]);
      if (status !== 0) return `the program ${program} is missing`;
    }
    return undefined;
  }

  async create({
    layers,
    directory,
    signal,
  }: Parameters<RootfsBackend["create"]>[0]): Promise<RootFilesystem> {
    const path = join(directory, "rootfs");
    await mkdir(path);
    for (const layer of layers) {
      const number = String(LGETXATTR[process.arch]);
      const { status, complaint } = await runProgram(
        "perl",
        ["-e", COPY_SCRIPT, number, layer, path],
        signal,
      );
      if (status !== 0) {
        throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
          detail: `the layer '${layer}' cannot be copied: ${complaint.split("\n").slice(0, 3).join("; ")}`,
        });
      }
    }
    return { path, mounts: [] };
  }

  remove(directory: string): Promise<void> {
    return removeTree(directory);
  }
}
