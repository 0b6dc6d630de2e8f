import type { Value_Range } from "../../proto/gen/mesos/v1/mesos.js";

export const includesPort = (ranges: readonly Value_Range[], port: number): boolean =>
  ranges.some(({ begin, end }) => Number(begin) <= port && port <= Number(end));

/** The smallest ranges that hold exactly these ports. */
export function rangesOf(ports: Iterable<number>): Value_Range[] {
  const ranges: { begin: number; end: number }[] = [];
  for (const port of [...ports].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && port <= last.end + 1) last.end = port;
    else ranges.push({ begin: port, end: port });
  }
  return ranges;
}

/** As Mesos prints them: `[31000-31001, 31005-31005]`. */
export const rangesText = (ranges: readonly Value_Range[]): string =>
  `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(", ")}]`;
