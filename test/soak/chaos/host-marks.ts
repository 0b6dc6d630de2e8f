import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

/** What one task wrote on its host. */
export interface Marks {
  starts: number;
  ends: number;
  /** Another task of the same job was running when it started. */
  together: number;
}

/** A shell command that records what it does: `starts`, `ends`, and `together` if another task holds the job's lock. */
export function markedCommand(options: { marks: string; job: string; task: string; work: string }): string {
  const { marks, job, task, work } = options;
  const mark = (what: string): string => `echo ${what} ${task} >>${join(marks, `${job}.marks`)}`;
  // The work inherits file descriptor 9, and with it the lock, until its last process is gone.
  return [
    `exec 9>>${join(marks, `${job}.lock`)}`,
    `flock -n 9 || ${mark("together")}`,
    mark("starts"),
    work,
    mark("ends"),
  ].join("; ");
}

export function readMarks(marks: string): Map<string, Marks> {
  const found = new Map<string, Marks>();
  for (const file of readdirSync(marks).filter((name) => name.endsWith(".marks"))) {
    for (const line of readFileSync(join(marks, file), "utf8").split("\n")) {
      const [what, task] = line.split(" ");
      if (task === undefined) continue;
      const of = found.get(task) ?? { starts: 0, ends: 0, together: 0 };
      found.set(task, of);
      if (what === "starts" || what === "ends" || what === "together") of[what]++;
      else throw new Error(`${file} says: ${line}`);
    }
  }
  return found;
}

/** The job whose lock the process holds. */
export function heldJob(pid: number): string | undefined {
  try {
    const file = basename(readlinkSync(`/proc/${pid}/fd/9`));
    return file.endsWith(".lock") ? file.slice(0, -".lock".length) : undefined;
  } catch {
    return undefined;
  }
}
