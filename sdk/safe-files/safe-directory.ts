import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { isAbsolute, normalize } from "node:path";
import { errnoOf } from "../errors/index.js";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A relative path in its shortest form; undefined for one that is absolute, empty, or leads to its start or out of it. */
export function pathInside(path: string): string | undefined {
  const inside = normalize(path).replace(/\/$/, "");
  if (path === "" || isAbsolute(path) || inside === "." || inside === ".." || inside.startsWith("../"))
    return undefined;
  return path.includes("\0") ? undefined : inside;
}

/**
 * Makes things below a directory in which somebody else may write, without ever following a symbolic link of theirs, not even
 * one that is put there in the meantime: every step is taken from an open directory.
 *
 * All paths are relative and have gone through `pathInside`. Errors name the path.
 */
export class SafeDirectory {
  constructor(private readonly root: string) {}

  /** What is missing of the path is made; what exists stays as it is. */
  makeDirectory(path: string, { owner, mode = 0o755 }: { owner?: Owner; mode?: number } = {}): void {
    this.within(path, ({ parent, name }) => {
      const made = makeMissing(`${parent}/${name}`, mode);
      const directory = open(`${parent}/${name}`, path);
      try {
        // By the descriptor: the name may be something else by now.
        if (made && owner !== undefined) fchownSync(directory, owner.uid, owner.gid);
        if (made) fchmodSync(directory, mode);
      } finally {
        closeSync(directory);
      }
    });
  }

  /** An empty file, if there is nothing; parents are made. */
  makeFile(path: string, mode = 0o644): void {
    this.within(path, ({ parent, name }) => {
      try {
        const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
        closeSync(openSync(`${parent}/${name}`, flags, mode));
      } catch (error) {
        if (errnoOf(error) !== "EEXIST") throw error;
      }
    });
  }

  /** A symbolic link; one that is there already must be the same. Parents are made. */
  link(path: string, target: string): void {
    this.within(path, ({ parent, name }) => {
      try {
        symlinkSync(target, `${parent}/${name}`);
      } catch (error) {
        if (errnoOf(error) !== "EEXIST") throw error;
        if (linkedTo(`${parent}/${name}`) !== target)
          throw new Error(`'${path}' is in the sandbox already, and is something else`);
      }
    });
  }

  /** Removes the symbolic link if it still is this one. */
  unlink(path: string, target: string): void {
    this.within(path, ({ parent, name }) => {
      if (linkedTo(`${parent}/${name}`) === target) unlinkSync(`${parent}/${name}`);
    });
  }

  /** Renames what is there to a place elsewhere on the same file system; nothing there is fine. */
  moveOut(path: string, to: string): void {
    this.within(path, ({ parent, name }) => {
      try {
        renameSync(`${parent}/${name}`, to);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT") throw error;
      }
    });
  }

  /**
   * Opens what is there for reading, without waiting for who writes into a pipe. What may be there in place of a file is for the caller to
   * find out.
   *
   * @throws the error of the system: ENOENT, ENOTDIR, or ELOOP for a link at its end
   */
  openForReading(path: string): number {
    const steps = path.split("/");
    const name = steps.pop()!;
    let directory = openSync(this.root, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      for (const step of steps) {
        const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
        const next = openSync(`/proc/self/fd/${directory}/${step}`, flags);
        closeSync(directory);
        directory = next;
      }
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      return openSync(`/proc/self/fd/${directory}/${name}`, flags);
    } finally {
      closeSync(directory);
    }
  }

  /** Whether one of the path's steps is a symbolic link now. */
  leadsThroughLink(path: string): boolean {
    const steps = path.split("/");
    return steps.some((_, index) => {
      try {
        return lstatSync([this.root, ...steps.slice(0, index + 1)].join("/")).isSymbolicLink();
      } catch (error) {
        if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
        throw error;
      }
    });
  }

  private within(path: string, act: (place: { parent: string; name: string }) => void): void {
    const steps = path.split("/");
    const name = steps.pop()!;
    let directory = openSync(this.root, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      for (const step of steps) {
        makeMissing(`/proc/self/fd/${directory}/${step}`, 0o755);
        const next = open(`/proc/self/fd/${directory}/${step}`, path);
        closeSync(directory);
        directory = next;
      }
      act({ parent: `/proc/self/fd/${directory}`, name });
    } finally {
      closeSync(directory);
    }
  }
}

/** False when it was there. */
function makeMissing(path: string, mode: number): boolean {
  try {
    mkdirSync(path, mode);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function open(path: string, asked: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ELOOP" || code === "ENOTDIR")
      throw new Error(`'${asked}' leads through something that is not a directory`, { cause: error });
    throw error;
  }
}

function linkedTo(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === "EINVAL" || errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
