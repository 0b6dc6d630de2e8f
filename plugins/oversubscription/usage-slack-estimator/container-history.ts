import type { ResourceStatistics } from "../../../proto/gen/mesos/v1/mesos.js";

/** Of one container, at one time or at the highest. */
export interface Use {
  /** CPUs kept busy. */
  readonly cpus: number;
  /** MB. */
  readonly mem: number;
}

interface Sample extends Use {
  /** Seconds since the epoch. */
  readonly time: number;
}

const MB = 1024 * 1024;

/** What one container used in the last while. */
export class ContainerHistory {
  private readonly samples: Sample[] = [];
  private first: number | undefined;
  private last: { readonly time: number; readonly cpuSeconds: number } | undefined;

  /** @param window seconds */
  constructor(private readonly window: number) {}

  /** Takes a measurement; one that is not newer than the last, or lacks a figure, says nothing. */
  add(statistics: ResourceStatistics): void {
    const { timestamp: time, cpus_user_time_secs: user, cpus_system_time_secs: system } = statistics;
    const memory = statistics.mem_rss_bytes ?? statistics.mem_total_bytes;
    if (time === undefined || user === undefined || system === undefined || memory === undefined) return;
    const { last } = this;
    if (last !== undefined && time <= last.time) return;
    const cpuSeconds = user + system;
    this.last = { time, cpuSeconds };
    this.first ??= time;
    if (last === undefined) return;
    const cpus = Math.max(0, cpuSeconds - last.cpuSeconds) / (time - last.time);
    this.samples.push({ time, cpus, mem: Number(memory) / MB });
    while (this.samples[0]!.time <= time - this.window) this.samples.shift();
  }

  /** The most that it used within the window; undefined until it has been watched for so long. */
  get peak(): Use | undefined {
    if (this.last === undefined || this.first === undefined || this.samples.length === 0) return undefined;
    if (this.last.time - this.first < this.window) return undefined;
    return {
      cpus: Math.max(...this.samples.map(({ cpus }) => cpus)),
      mem: Math.max(...this.samples.map(({ mem }) => mem)),
    };
  }
}
