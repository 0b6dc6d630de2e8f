import { PerfStatistics } from "../../proto/gen/mesos/v1/mesos.js";

/** Those that perf counts with a fraction. */
const FRACTIONAL = ["cpu_clock", "task_clock"] as const;

export type PerfCounts = Omit<PerfStatistics, "timestamp" | "duration">;

/** Fields of PerfStatistics that are counters, found once: the message itself names them. */
const COUNTERS: ReadonlySet<string> = new Set(
  Object.keys(PerfStatistics.fromPartial({})).filter((name) => name !== "timestamp" && name !== "duration"),
);

/** Whether statistics have a field for the event. */
export const isCounted = (event: string): boolean => COUNTERS.has(fieldOf(event));

/** An event as PerfStatistics names it: `L1-dcache-loads` is `l1_dcache_loads`. */
const fieldOf = (event: string): string => event.toLowerCase().replaceAll("-", "_");

/**
 * Reads what `perf stat --field-separator ,` says, by cgroup. Its lines have been `value,event,cgroup` and, since Linux 3.14,
 * `value,unit,event,cgroup` with more behind. Events that this machine cannot count are left out. Throws for anything else.
 */
export function parsePerfOutput(output: string): Map<string, PerfCounts> {
  const byCgroup = new Map<string, Record<string, number | bigint>>();
  for (const line of output.split("\n")) {
    if (line === "") continue;
    const fields = line.split(",");
    const [value, event, cgroup] = fields.length === 3 ? fields : [fields[0], fields[2], fields[3]];
    if (value === undefined || event === undefined || cgroup === undefined)
      throw new Error(`perf says something unknown: ${line}`);
    // A figure reckoned from others, e.g. stalled cycles an instruction.
    if (event === "") continue;
    if (!isCounted(event)) throw new Error(`perf counts an event that statistics have no field for: ${line}`);
    const counts = byCgroup.get(cgroup) ?? {};
    byCgroup.set(cgroup, counts);
    if (value !== "<not supported>") counts[fieldOf(event)] = count(value, { field: fieldOf(event), line });
  }
  return byCgroup;
}

function count(value: string, { field, line }: { field: string; line: string }): number | bigint {
  const text = value === "<not counted>" ? "0" : value;
  if (!/^\d+(\.\d+)?$/.test(text)) throw new Error(`perf says something unknown: ${line}`);
  return (FRACTIONAL as readonly string[]).includes(field) ? Number(text) : BigInt(text.replace(/\..*$/, ""));
}
