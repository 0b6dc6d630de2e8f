import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { arch } from "node:os";
import { promisify } from "node:util";
import { messageOf } from "../../sdk/errors/index.js";
import { processTree } from "../../sdk/proc/index.js";
import { LIVE_MOUNT_SCRIPT } from "./live-mount-script.js";

const run = promisify(execFile);

interface Place {
  /** Main process of the container. */
  readonly pid: number;
  /** Absolute, as the container sees it. */
  readonly directory: string;
  /** Relative, without steps that lead out. */
  readonly path: string;
}

/** Changes the mounts of containers that run. */
export interface LiveMounts {
  /** Rejects, saying why, when the container does not have the mount afterwards. */
  add(mount: Place & { readonly source: string; readonly readOnly: boolean }): Promise<void>;
  remove(mount: Place): Promise<void>;
}

/** Numbers of the system calls setns and umount2; the others that are needed have the same number everywhere. */
const SYSTEM_CALLS: Readonly<Record<string, readonly [number, number]>> = {
  x64: [308, 166],
  arm64: [268, 39],
  riscv64: [268, 39],
  ppc64: [350, 52],
  s390x: [339, 52],
};

/** By perl(1) and the mount calls of Linux 5.12 and later. */
export class PerlLiveMounts implements LiveMounts {
  async add({
    source,
    readOnly,
    ...place
  }: Place & { readonly source: string; readonly readOnly: boolean }): Promise<void> {
    await this.run("add", place, [source, readOnly ? "ro" : "rw"]);
  }

  async remove(place: Place): Promise<void> {
    await this.run("remove", place, []);
  }

  private async run(
    act: "add" | "remove",
    { pid, directory, path }: Place,
    more: readonly string[],
  ): Promise<void> {
    const calls = SYSTEM_CALLS[arch()];
    if (calls === undefined) throw new Error(`mounts of running containers cannot be changed on ${arch()}`);
    const inside = await processInside(pid);
    const words = [act, String(inside), directory, path, ...calls.map(String), ...more];
    try {
      await run("perl", ["-e", LIVE_MOUNT_SCRIPT, ...words], { timeout: 60_000 });
    } catch (error) {
      const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
      throw new Error(`the mounts of a running container could not be changed: ${said || messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

/** Of the main process and those below it, the first that is in another mount namespace than the agent. */
async function processInside(pid: number): Promise<number> {
  const own = readlinkSync("/proc/self/ns/mnt");
  for (const process of await processTree(pid)) {
    const theirs = namespaceOf(process.pid);
    if (theirs !== undefined && theirs !== own) return process.pid;
  }
  throw new Error("the container has no mount namespace of its own, or has ended");
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    // Ended.
    return undefined;
  }
}
