import { realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { FileInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentExecutorView, AgentView } from "../../sdk/contracts/agent-view.js";
import type { Files } from "../../sdk/contracts/files.js";
import { isWithin } from "./is-within.js";
import { listing } from "./listing.js";
import { type FilePart, readPart } from "./read-part.js";
import { noSuchFile, refused } from "./refusals.js";

/** Where a virtual path leads, or why it leads nowhere: `inaccessible` is outside of what is attached. */
export type Resolution =
  | { readonly kind: "found"; readonly real: string; readonly root: string }
  | { readonly kind: "missing" }
  | { readonly kind: "inaccessible"; readonly path: string };

interface Mount {
  /** Real path of what is attached. */
  readonly root: string;
  /** What follows its virtual name. */
  readonly rest: string;
}

/** `<anything>/frameworks/<id>/executors/<id>/runs/<container id or latest>` and what follows: the layout of every sandbox. */
const SANDBOX = /^(.*\/frameworks\/([^/]+)\/executors\/([^/]+)\/runs)\/([^/]+)(?:\/(.*))?$/s;

/**
 * The names under which files are served: what was attached, and the sandbox of every executor that the agent knows, under its real path and
 * as `/frameworks/<id>/executors/<id>/runs/latest`. Nothing outside of these can be reached, through `..` or symbolic links either.
 */
export class VirtualFiles implements Files {
  private readonly attached = new Map<string, string>();

  constructor(private readonly agent: AgentView | undefined) {}

  attach(virtualPath: string, realPath: string): () => void {
    const name = withoutTrailingSlash(virtualPath);
    this.attached.set(name, realPath);
    return () => {
      if (this.attached.get(name) === realPath) this.attached.delete(name);
    };
  }

  async browse(path: string): Promise<readonly FileInfo[]> {
    const { real } = await this.find(path);
    return listing(real, path);
  }

  async read({
    path,
    ...part
  }: FilePart & { readonly path: string }): Promise<{ size: number; data: Buffer }> {
    return readPart(await this.find(path), part);
  }

  /** @throws TepuiError TEPUI_FILE_UNKNOWN, TEPUI_FILE_REQUEST_INVALID */
  async find(path: string): Promise<{ real: string; root: string }> {
    // No file system has such names, and Node throws for them.
    if (path.includes("\0")) throw noSuchFile();
    const resolution = await this.resolve(path);
    if (resolution.kind === "found") return resolution;
    if (resolution.kind === "missing") throw noSuchFile();
    throw refused(`'${resolution.path}' is inaccessible`);
  }

  private async resolve(path: string): Promise<Resolution> {
    const mount = this.mountOf(withoutTrailingSlash(path));
    if (mount === undefined) return { kind: "missing" };
    const root = await realpath(mount.root).catch(ignoreMissing);
    if (root === undefined) return { kind: "missing" };
    if (mount.rest === "") return { kind: "found", real: root, root };
    if (!(await stat(root)).isDirectory()) return { kind: "missing" };
    const wanted = join(root, mount.rest);
    // Told before the file system is asked, so that nobody learns what exists outside.
    if (!isWithin(wanted, root)) return { kind: "inaccessible", path: wanted };
    const real = await realpath(wanted).catch(ignoreMissing);
    if (real === undefined) return { kind: "missing" };
    return isWithin(real, root) ? { kind: "found", real, root } : { kind: "inaccessible", path: wanted };
  }

  /** Virtual name -> real path of everything that is served. */
  listing(): Record<string, string> {
    const names: Record<string, string> = Object.fromEntries(this.attached);
    for (const { id, executors, completedExecutors } of this.frameworks()) {
      for (const executor of [...completedExecutors, ...executors]) {
        names[executor.directory] = executor.directory;
        names[`/frameworks/${id}/executors/${executor.id}/runs/latest`] = executor.directory;
      }
    }
    return names;
  }

  private mountOf(path: string): Mount | undefined {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const root = this.attached.get(path.slice(0, end));
      if (root !== undefined) return { root, rest: path.slice(end + 1) };
    }
    return this.sandboxOf(path);
  }

  private sandboxOf(path: string): Mount | undefined {
    const match = SANDBOX.exec(path);
    if (match === null) return undefined;
    const [, runs = "", frameworkId = "", executorId = "", run = "", rest = ""] = match;
    const virtual = `/frameworks/${frameworkId}/executors/${executorId}/runs`;
    // The newest comes last: completed executors in the order of their ends, then the one that lives.
    const executor = this.executors(frameworkId, executorId)
      .filter(({ directory }) => runs === dirname(directory) || (runs === virtual && run === "latest"))
      .findLast(({ directory }) => run === "latest" || run === basename(directory));
    return executor && { root: executor.directory, rest };
  }

  private executors(frameworkId: string, executorId: string): AgentExecutorView[] {
    const found: AgentExecutorView[] = [];
    for (const framework of this.frameworks()) {
      if (framework.id !== frameworkId) continue;
      for (const executor of framework.completedExecutors)
        if (executor.id === executorId) found.push(executor);
      for (const executor of framework.executors) if (executor.id === executorId) found.push(executor);
    }
    return found;
  }

  private frameworks() {
    return this.agent === undefined ? [] : [...this.agent.completedFrameworks(), ...this.agent.frameworks()];
  }
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

/** Neither a name without a file nor a file in the place of a directory is a failure. */
function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP") return undefined;
  throw error;
}
