import { isAlive, parseProcessStat } from "../../../sdk/proc/index.js";
import type { RecordReader } from "./record-reader.js";

/** The unit of the times in `/proc/<pid>/stat`, whatever the kernel uses internally; see proc(5). */
const TICK_MS = 10;
/** A pid is written as soon as its process exists; the kernel counts its own times in whole seconds. */
const TOLERANCE_MS = 2000;

/** The pid in a file, if it still refers to the same process. A later process with the same pid started after the file was written. */
export async function earlierProcess(reader: RecordReader, path: string): Promise<number | undefined> {
  const text = await reader.text(path);
  if (text === undefined || !/^[1-9]\d{0,8}$/.test(text)) return undefined;
  const stat = parseProcessStat((await reader.text(`/proc/${text}/stat`)) ?? "");
  const boot = /^btime (\d+)$/m.exec((await reader.text("/proc/stat")) ?? "");
  if (!isAlive(stat) || boot === null) return undefined;
  const began = Number(boot[1]) * 1000 + stat.startTicks * TICK_MS;
  const written = (await reader.files.lstat(path)).mtimeMs;
  return began <= written + TOLERANCE_MS ? stat.pid : undefined;
}
