import { dirname, join, relative, sep } from "node:path";
import type { Controller } from "../cgroup.js";
import { CgroupError } from "../cgroup-error.js";
import { makeDirectory, writeControl } from "../control-file.js";
import { IN_EVERY_V2_GROUP } from "../controllers.js";
import type { Tree } from "../tree.js";
import { freezeV2, killV2, thawV2 } from "./freezer-v2.js";

export class TreeV2 implements Tree {
  readonly version = 2;
  readonly threadsFile = "cgroup.threads";
  /** By directory, what groups made in it get. */
  readonly #enabled = new Map<string, Set<Controller>>();

  constructor(
    readonly mountPoint: string,
    readonly controllers: readonly Controller[],
    readonly leaf: string,
  ) {}

  directory(path: string): string {
    return join(this.mountPoint, path);
  }

  processDirectory(path: string): string {
    return join(this.mountPoint, path, this.leaf);
  }

  isOwnPart(name: string): boolean {
    return name === this.leaf;
  }

  create(path: string, controllers: readonly Controller[]): void {
    const wanted = controllers.filter((controller) => !IN_EVERY_V2_GROUP.has(controller));
    const directory = this.directory(path);
    try {
      this.#enable(dirname(directory), wanted);
      makeDirectory(directory);
    } catch (error) {
      // Somebody removed what was made for an earlier group.
      if (!(error instanceof CgroupError) || error.errno !== "ENOENT") throw error;
      this.#enabled.clear();
      this.#enable(dirname(directory), wanted);
      makeDirectory(directory);
    }
    makeDirectory(this.processDirectory(path));
  }

  /** Passes controllers down to the groups in a directory, from the top, making the directories on the way. */
  #enable(directory: string, wanted: readonly Controller[]): void {
    const present = this.#enabled.get(directory) ?? new Set();
    const lacking = wanted.filter((controller) => !present.has(controller));
    if (lacking.length === 0 && this.#enabled.has(directory)) return;
    if (directory !== this.mountPoint) {
      this.#enable(dirname(directory), wanted);
      makeDirectory(directory);
    }
    if (lacking.length > 0) this.#passDown(directory, lacking);
    this.#enabled.set(directory, new Set([...present, ...lacking]));
  }

  #passDown(directory: string, controllers: readonly Controller[]): void {
    try {
      writeControl(
        join(directory, "cgroup.subtree_control"),
        controllers.map((controller) => `+${controller}`).join(" "),
      );
    } catch (error) {
      if (!(error instanceof CgroupError) || error.errno !== "EBUSY") throw error;
      const place = relative(this.mountPoint, directory).split(sep).join("/") || "the root";
      throw new CgroupError(
        `${error.message}: processes of ${place} are in the way, move them to a group below it`,
        { file: error.file, value: error.value, errno: error.errno, cause: error },
      );
    }
  }

  freeze(directory: string, deadline: number): Promise<void> {
    return freezeV2(directory, deadline);
  }

  thaw(directory: string): void {
    thawV2(directory);
  }

  kill(directory: string, deadline: number): Promise<void> {
    return killV2(directory, deadline);
  }
}
