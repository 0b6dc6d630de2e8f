import { readFileSync, readlinkSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive, type ProcessStat, readProcessStat } from "../../sdk/proc/index.js";

/** How a container's processes are found. */
export interface ContainerRoot {
  readonly pid: number;
  /** With the pid it names one process for good. */
  readonly startTicks: number;
  /** Directory of a cgroup that all processes of the container are in. */
  readonly cgroup?: string | undefined;
}

/** What the processes of a container will be found by, once its main process exists. */
export function containerRoot(id: string, pid: number, cgroups: readonly string[]): ContainerRoot {
  const stat = readProcessStat(pid);
  const cgroup = [...cgroups, ...cgroupsNamedAfter(id, pid)].find((path) => holds(path, pid));
  if (stat === undefined || cgroup !== undefined) return { pid, startTicks: stat?.startTicks ?? 0, cgroup };
  // A launcher's process that minds this container alone bears its id, and adopts what leaves the tree of the main process.
  const parent = commandLine(stat.parent).includes(id) ? readProcessStat(stat.parent) : undefined;
  const { pid: root, startTicks } = parent ?? stat;
  return { pid: root, startTicks };
}

/** Cgroups that a launcher made for the container: where they usually are mounted, see cgroups(7). */
function cgroupsNamedAfter(id: string, pid: number): string[] {
  return readText(`/proc/${pid}/cgroup`)
    .split("\n")
    .flatMap((line) => {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (path === undefined || !path.split("/").includes(id)) return [];
      const mounts = controllers === "" ? ["", "unified"] : [controllers!.replace(/^name=/, "")];
      return mounts.map((mount) => join("/sys/fs/cgroup", mount, path));
    });
}

const holds = (cgroup: string, pid: number): boolean =>
  readText(join(cgroup, "cgroup.procs")).split("\n").includes(String(pid));

const commandLine = (pid: number): string => readText(`/proc/${pid}/cmdline`);

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Gone, or not there on this host.
    return "";
  }
}

/**
 * The processes of containers, at one moment. Where a container has a cgroup, that is the list; otherwise it is the tree of its main
 * process with the session that it leads, for which all of `/proc` is read, once for all containers.
 */
export class ContainerProcesses {
  private table: Promise<ProcessTable> | undefined;

  async of({ pid, startTicks, cgroup }: ContainerRoot): Promise<number[]> {
    const listed = cgroup === undefined ? undefined : await inCgroup(cgroup);
    if (listed !== undefined) return listed;
    this.table ??= readTable();
    return treeOf({ pid, startTicks }, await this.table);
  }
}

/** Inodes of the sockets that a process has open; none for one that ended or may not be looked into. */
export async function socketsOf(pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`;
  const found: string[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    const inode = socketInode(join(directory, name));
    if (inode !== undefined) found.push(inode);
  }
  return found;
}

function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1];
  } catch {
    // Closed meanwhile.
    return undefined;
  }
}

async function inCgroup(directory: string): Promise<number[] | undefined> {
  try {
    const text = await readFile(join(directory, "cgroup.procs"), "utf8");
    return text.split("\n").filter(Boolean).map(Number);
  } catch {
    // Gone with the container.
    return undefined;
  }
}

interface ProcessTable {
  readonly byPid: ReadonlyMap<number, ProcessStat>;
  readonly byParent: ReadonlyMap<number, readonly number[]>;
  readonly bySession: ReadonlyMap<number, readonly number[]>;
}

async function readTable(): Promise<ProcessTable> {
  const byPid = new Map<number, ProcessStat>();
  const byParent = new Map<number, number[]>();
  const bySession = new Map<number, number[]>();
  const add = (lists: Map<number, number[]>, key: number, pid: number): void => {
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [pid]);
    else list.push(pid);
  };
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProcessStat(Number(name));
    if (!isAlive(stat)) continue;
    byPid.set(stat.pid, stat);
    add(byParent, stat.parent, stat.pid);
    add(bySession, stat.session, stat.pid);
  }
  return { byPid, byParent, bySession };
}

function treeOf(root: { pid: number; startTicks: number }, table: ProcessTable): number[] {
  const main = table.byPid.get(root.pid);
  // Another process with the number of one that ended is nobody's container.
  if (main !== undefined && main.startTicks !== root.startTicks) return [];
  const members = new Set([root.pid, ...(table.bySession.get(root.pid) ?? [])]);
  // A set goes on over what is added to it on the way.
  for (const pid of members) for (const child of table.byParent.get(pid) ?? []) members.add(child);
  return [...members];
}
