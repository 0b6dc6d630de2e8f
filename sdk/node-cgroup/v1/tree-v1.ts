import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Controller } from "../cgroup.js";
import { CgroupError } from "../cgroup-error.js";
import { failure, makeDirectory } from "../control-file.js";
import type { Tree } from "../tree.js";
import { readyCpuset } from "./cpuset-v1.js";
import { freezeV1, killV1, thawV1 } from "./freezer-v1.js";

export class TreeV1 implements Tree {
  readonly version = 1;
  readonly threadsFile = "tasks";
  /** Directories whose groups get their CPUs and memory nodes from the kernel as they are made. */
  readonly #inheriting = new Set<string>();

  constructor(
    readonly mountPoint: string,
    readonly controllers: readonly Controller[],
  ) {}

  directory(path: string): string {
    return join(this.mountPoint, path);
  }

  processDirectory(path: string): string {
    return this.directory(path);
  }

  isOwnPart(): boolean {
    return false;
  }

  create(path: string): void {
    const directory = this.directory(path);
    // Whoever joins a hierarchy joins all of its controllers.
    if (this.controllers.includes("cpuset")) this.#createWithCpuset(directory);
    else createDeep(directory);
  }

  /** The groups of one parent are made one after the other: what was done for the parent is remembered. */
  #createWithCpuset(directory: string): void {
    const parent = dirname(directory);
    if (this.#inheriting.has(parent)) {
      try {
        makeDirectory(directory);
        return;
      } catch (error) {
        // Somebody removed the parent.
        if (!(error instanceof CgroupError) || error.errno !== "ENOENT") throw error;
        this.#inheriting.clear();
      }
    }
    createDeep(directory);
    if (readyCpuset(this.mountPoint, directory)) this.#inheriting.add(parent);
  }

  freeze(directory: string, deadline: number): Promise<void> {
    return freezeV1(directory, deadline);
  }

  thaw(directory: string): void {
    thawV1(directory);
  }

  kill(directory: string, deadline: number): Promise<void> {
    return killV1(directory, deadline);
  }
}

function createDeep(directory: string): void {
  try {
    makeDirectory(directory);
  } catch (error) {
    if (!(error instanceof CgroupError) || error.errno !== "ENOENT") throw error;
    try {
      mkdirSync(directory, { recursive: true });
    } catch (cause) {
      throw failure("cannot make", { file: directory, cause });
    }
  }
}
