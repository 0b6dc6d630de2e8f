import { readFileSync } from "node:fs";
import { errnoOf } from "../errors/index.js";

/** What `/proc/<pid>/stat` says of one process; see proc(5). */
export interface ProcessStat {
  readonly pid: number;
  /** `R`, `S`, `D`, `Z` (dead, not reaped), `X` (dead), ... */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks of its own, and of its children that ended and were waited for. */
  readonly userTicks: number;
  readonly systemTicks: number;
  readonly childUserTicks: number;
  readonly childSystemTicks: number;
  readonly threads: number;
  /** Clock ticks after boot; with the pid it names one process for good. */
  readonly startTicks: number;
  /** Resident pages. */
  readonly residentPages: number;
}

/** Undefined for a process that does not exist (any more). */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Undefined for text of another form. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The name stands in parentheses and may itself hold spaces and parentheses.
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(" ");
  if (fields.length < 22) return undefined;
  const number = (index: number): number => Number(fields[index]);
  return {
    pid: Number(text.slice(0, open)),
    state: fields[0]!,
    parent: number(1),
    group: number(2),
    session: number(3),
    userTicks: number(11),
    systemTicks: number(12),
    childUserTicks: number(13),
    childSystemTicks: number(14),
    threads: number(17),
    startTicks: number(19),
    residentPages: number(21),
  };
}

/** Whether it still runs: a zombie only waits to be reaped, which may take for ever where pid 1 does not reap. */
export function isAlive(stat: ProcessStat | undefined): stat is ProcessStat {
  return stat !== undefined && stat.state !== "Z" && stat.state !== "X";
}

/** ESRCH: it ended between open and read. */
const isGone = (error: unknown): boolean => errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH";
