import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { isAlive, type ProcessStat, readProcessStat } from "./process-stat.js";

export interface TreeOptions {
  /** Also every process of a group or session that one of the tree leads or is in, as Mesos's `killtree`. */
  readonly groupsAndSessions?: boolean;
}

/**
 * The process and all its live descendants, each after its parent. Empty when the process is gone.
 *
 * Without groups and sessions only the tree itself is read (`/proc/<pid>/task/<tid>/children`); otherwise, and on kernels
 * without that file, all of `/proc` is.
 */
export async function processTree(root: number, options: TreeOptions = {}): Promise<ProcessStat[]> {
  if (options.groupsAndSessions !== true) {
    const tree = walkChildren(root);
    if (tree !== undefined) return tree;
  }
  const all = await allProcesses();
  return select(all, { root, groupsAndSessions: options.groupsAndSessions === true });
}

/** Every live process that can be read. */
async function allProcesses(): Promise<ProcessStat[]> {
  const found: ProcessStat[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProcessStat(Number(name));
    if (isAlive(stat)) found.push(stat);
  }
  return found;
}

function walkChildren(root: number): ProcessStat[] | undefined {
  const found: ProcessStat[] = [];
  const seen = new Set<number>();
  const queue = [root];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    if (seen.has(pid)) continue;
    seen.add(pid);
    const stat = readProcessStat(pid);
    if (stat === undefined) continue;
    if (isAlive(stat)) found.push(stat);
    const children = childrenOf(stat);
    if (children === undefined) return undefined;
    queue.push(...children);
  }
  return found;
}

/** Children belong to the thread that made them. Undefined when the kernel does not tell. */
function childrenOf(stat: ProcessStat): number[] | undefined {
  const read = (thread: string): number[] | undefined => {
    try {
      const text = readFileSync(`/proc/${stat.pid}/task/${thread}/children`, "latin1").trim();
      return text === "" ? [] : text.split(" ").map(Number);
    } catch {
      // Gone, or no such file: told apart by whether this very process has one.
      return undefined;
    }
  };
  if (stat.threads <= 1) {
    return read(String(stat.pid)) ?? (kernelTellsChildren() ? [] : undefined);
  }
  if (!kernelTellsChildren()) return undefined;
  return threadsOf(stat.pid).flatMap((thread) => read(thread) ?? []);
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

let tells: boolean | undefined;

/** A fact of the running kernel (CONFIG_PROC_CHILDREN), so read once. */
function kernelTellsChildren(): boolean {
  if (tells === undefined) {
    try {
      readFileSync(`/proc/${process.pid}/task/${process.pid}/children`);
      tells = true;
    } catch {
      tells = false;
    }
  }
  return tells;
}

/** Follows parents, and where asked groups and sessions, until nothing more is found. */
function select(
  all: readonly ProcessStat[],
  options: { root: number; groupsAndSessions: boolean },
): ProcessStat[] {
  const chosen = new Map<number, ProcessStat>();
  const groups = new Set<number>();
  const sessions = new Set<number>();
  if (options.groupsAndSessions) {
    groups.add(options.root);
    sessions.add(options.root);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const stat of all) {
      if (chosen.has(stat.pid)) continue;
      const belongs =
        stat.pid === options.root ||
        chosen.has(stat.parent) ||
        groups.has(stat.group) ||
        sessions.has(stat.session);
      if (!belongs) continue;
      chosen.set(stat.pid, stat);
      grew = true;
      // Only groups and sessions that the tree itself leads: its own ancestors share the ones that it was born into.
      if (options.groupsAndSessions && stat.group === stat.pid) groups.add(stat.group);
      if (options.groupsAndSessions && stat.session === stat.pid) sessions.add(stat.session);
    }
  }
  return [...chosen.values()];
}
