import { execFileSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { errnoOf } from "../../../sdk/errors/index.js";
import { SafeDirectory } from "../../../sdk/safe-files/index.js";
import type { DiskOperation } from "./operations.js";

/** The mode that Mesos gives to sandboxes. */
const DIRECTORY_MODE = 0o755;

/** As in Mesos: the environments of tasks and containers contain secrets. */
const FILE_MODE = 0o600;

/** Limit for one command line. */
const NAMES_AT_ONCE = 500;

/** Performs operations one after another, on the calling thread. */
export class DiskPerformer {
  private readonly accounts = new Map<string, { uid: number; gid: number }>();

  /**
   * @param anchor a directory that must exist before any other is created: the agent's memory. If its file system was unmounted, starting
   * over below the bare mount point would hide its content when it comes back
   */
  constructor(private readonly anchor?: string) {}

  perform(operation: DiskOperation): void {
    try {
      this.attempt(operation);
    } catch (error) {
      if (!isMissing(error) || operation.op === "remove") throw error;
      if ("unlessGone" in operation && operation.unlessGone === true) return;
      this.makeDirectory(dirname(operation.path), "durable" in operation && operation.durable === true);
      this.attempt(operation);
    }
  }

  private attempt(operation: DiskOperation): void {
    switch (operation.op) {
      case "mkdir":
        this.makeDirectory(operation.path, operation.durable === true);
        if (operation.owner !== undefined) this.own(operation.path, operation.owner);
        break;
      case "mkdir-inside":
        this.makeInside(operation);
        break;
      case "write":
        replaceFile(operation);
        break;
      case "create":
        writeFileSync(operation.path, operation.data, { mode: FILE_MODE });
        break;
      case "append":
        append(operation);
        break;
      case "truncate":
        truncateSync(operation.path, operation.size);
        break;
      case "symlink":
        replaceLink(operation);
        break;
      case "rename":
        renameSync(operation.from, operation.path);
        break;
      case "move-aside":
        this.checkAnchor();
        moveAside(operation);
        break;
      case "empty":
        empty(operation.path);
        break;
      case "touch":
        touch(operation.path);
        break;
      case "remove":
        rmSync(operation.path, { recursive: true, force: true });
        break;
    }
  }

  private makeDirectory(path: string, durable: boolean): void {
    this.checkAnchor();
    makeDirectory(path, durable);
  }

  private checkAnchor(): void {
    const { anchor } = this;
    if (anchor !== undefined && !existsSync(anchor)) throw new Error(`'${anchor}' is not there any more`);
  }

  private makeInside({
    path,
    boundary,
    owner,
  }: {
    path: string;
    boundary: string;
    owner?: string | undefined;
  }): void {
    const account = owner === undefined ? undefined : { owner: this.accountOf(owner) };
    new SafeDirectory(boundary).makeDirectory(relative(boundary, path), account);
  }

  private own(path: string, owner: string): void {
    const { uid, gid } = this.accountOf(owner);
    try {
      chownSync(path, uid, gid);
    } catch (error) {
      if (errnoOf(error) !== "EPERM") throw error;
      throw new Error(`only an agent that is root can run tasks as '${owner}'`);
    }
  }

  private accountOf(user: string): { uid: number; gid: number } {
    let account = this.accounts.get(user);
    if (account === undefined) {
      const ask = (what: string): number => {
        try {
          return Number(
            execFileSync("id", [what, "--", user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
          );
        } catch {
          throw new Error(`the user '${user}' does not exist on this host`);
        }
      };
      account = { uid: ask("-u"), gid: ask("-g") };
      this.accounts.set(user, account);
    }
    return account;
  }
}

/** Includes the parents. Durable: none of the directories that were missing is lost in a power failure. */
function makeDirectory(path: string, durable: boolean): void {
  const first = mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  if (!durable || first === undefined) return;
  const above = dirname(first);
  for (let at = path; at !== above; at = dirname(at)) syncDirectory(at);
  syncDirectory(above);
}

function replaceFile({ path, data, durable }: { path: string; data: Uint8Array; durable?: boolean }): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w", FILE_MODE);
  try {
    writeFileSync(file, data);
    if (durable === true) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  if (durable === true) syncDirectory(dirname(path));
}

/** All or nothing: whatever follows a partial record would be unreadable. */
function append({ path, data }: { path: string; data: Uint8Array }): void {
  const file = openSync(path, "a", FILE_MODE);
  try {
    const { size } = fstatSync(file);
    try {
      writeFileSync(file, data);
    } catch (error) {
      ftruncateSync(file, size);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function replaceLink(link: { path: string; target: string; durable?: boolean }): void {
  const { path, target } = link;
  try {
    // Usually there is none yet.
    symlinkSync(target, path);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const temporary = `${path}.tmp`;
    rmSync(temporary, { force: true });
    symlinkSync(target, temporary);
    renameSync(temporary, path);
  }
  if (link.durable === true) syncDirectory(dirname(path));
}

function moveAside({
  from,
  path,
  boundary,
}: {
  from: string;
  path: string;
  boundary?: string | undefined;
}): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    if (boundary === undefined) renameSync(from, path);
    else new SafeDirectory(boundary).moveOut(relative(boundary, from), path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function empty(path: string): void {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  // rmSync would descend into mounts.
  for (let start = 0; start < names.length; start += NAMES_AT_ONCE) {
    const paths = names.slice(start, start + NAMES_AT_ONCE).map((name) => join(path, name));
    execFileSync("rm", ["-rf", "--one-file-system", "--", ...paths], { stdio: ["ignore", "ignore", "pipe"] });
  }
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT";
