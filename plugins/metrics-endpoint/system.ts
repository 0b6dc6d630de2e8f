import { readFileSync } from "node:fs";
import { cpus, freemem, loadavg, totalmem } from "node:os";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import { doubleJson } from "../../sdk/resources/index.js";

/** Figures of the machine. */
export interface SystemFigures {
  /** Load of the last minute, five and fifteen minutes. */
  load(): readonly [one: number, five: number, fifteen: number];
  readonly cpus: number;
  /** Bytes. */
  totalMemory(): number;
  /** Bytes that nothing uses; caches count as used, as in Mesos. */
  freeMemory(): number;
}

export function hostFigures(): SystemFigures {
  return {
    load: () => {
      const [one = 0, five = 0, fifteen = 0] = loadavg();
      return [one, five, fifteen];
    },
    // Counting them reads a file for each.
    cpus: cpus().length,
    totalMemory: totalmem,
    freeMemory,
  };
}

/** GET /system/stats.json: loads are doubles, the rest are integers. */
export function systemStatsJson(figures: SystemFigures): string {
  const [one, five, fifteen] = figures.load();
  return (
    `{"avg_load_15min":${doubleJson(fifteen)},"avg_load_1min":${doubleJson(one)},"avg_load_5min":${doubleJson(five)},` +
    `"cpus_total":${figures.cpus},"mem_free_bytes":${figures.freeMemory()},"mem_total_bytes":${figures.totalMemory()}}`
  );
}

/** The same figures as metrics under `system/`. */
export function publishSystemFigures(metrics: Metrics, figures: SystemFigures): void {
  metrics.gauge("system/load_1min", () => figures.load()[0]);
  metrics.gauge("system/load_5min", () => figures.load()[1]);
  metrics.gauge("system/load_15min", () => figures.load()[2]);
  metrics.gauge("system/cpus_total", () => figures.cpus);
  metrics.gauge("system/mem_total_bytes", () => figures.totalMemory());
  metrics.gauge("system/mem_free_bytes", () => figures.freeMemory());
}

/** Node's `freemem` counts caches as free where it can; this is the figure of sysinfo(2). */
function freeMemory(): number {
  try {
    const kilobytes = /^MemFree:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kilobytes === undefined ? freemem() : Number(kilobytes) * 1024;
  } catch {
    // Not a Linux with /proc.
    return freemem();
  }
}
