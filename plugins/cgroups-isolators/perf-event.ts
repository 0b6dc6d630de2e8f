import type { PerfStatistics, ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { messageOf } from "../../sdk/errors/index.js";
import { containerName } from "../../sdk/ids/index.js";
import { unavailableIsolation } from "../../sdk/isolation/index.js";
import type { Cgroup } from "../../sdk/node-cgroup/index.js";
import { formatDuration } from "../../sdk/values/index.js";
import { GroupIsolator, type GroupIsolatorOptions } from "./group-isolator.js";
import { isCounted } from "./perf-output.js";
import type { PerfProgram } from "./perf-program.js";

export interface PerfFlags {
  /** `--perf_events`; none: nothing is sampled. */
  readonly events: readonly string[];
  /** `--perf_interval`, milliseconds. */
  readonly interval: number;
  /** `--perf_duration`, milliseconds. */
  readonly duration: number;
}

export interface PerfEventOptions extends GroupIsolatorOptions {
  readonly flags: PerfFlags;
  readonly perf: PerfProgram;
  readonly clock: Clock;
}

interface Sampled {
  readonly group: Cgroup;
  latest: PerfStatistics;
}

/** `cgroups/perf_event`: counts events of the hardware and the kernel for all containers, a while of every interval. */
export class PerfEventIsolator extends GroupIsolator {
  private readonly flags: PerfFlags;
  private readonly perf: PerfProgram;
  private readonly clock: Clock;
  private readonly containers = new Map<string, Sampled>();
  private timer: Timer | undefined;
  private stopped = false;

  constructor(options: PerfEventOptions) {
    super(options);
    this.flags = options.flags;
    this.perf = options.perf;
    this.clock = options.clock;
  }

  override async start(): Promise<void> {
    const { events, interval, duration } = this.flags;
    if (events.length === 0) return;
    if (duration > interval)
      throw unavailableIsolation(
        this.name,
        `a --perf_duration (${formatDuration(duration)}) no longer than --perf_interval (${formatDuration(interval)})`,
      );
    const unknown = events.filter((event) => !isCounted(event));
    if (unknown.length > 0)
      throw unavailableIsolation(
        this.name,
        `--perf_events that statistics have a field for, and has '${unknown.join("', '")}'`,
      );
    try {
      await this.perf.check(events);
    } catch (error) {
      throw unavailableIsolation(
        this.name,
        `perf(1) with the events of --perf_events (apt-get install linux-perf; perf list): ${messageOf(error)}`,
      );
    }
    this.timer = this.clock.setTimeout(() => this.sample(), 0);
  }

  override async stop(): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    this.perf.stop();
  }

  protected override setUp(group: Cgroup, { containerId }: ContainerRequest): undefined {
    this.containers.set(containerName(containerId), { group, latest: this.emptySample() });
  }

  protected override takeBack(group: Cgroup, { containerId }: ContainerRequest): void {
    this.containers.set(containerName(containerId), { group, latest: this.emptySample() });
  }

  protected override measure(_group: Cgroup, containerId: string): Partial<ResourceStatistics> {
    const sampled = this.containers.get(containerId);
    return sampled === undefined ? {} : { perf: sampled.latest };
  }

  protected override forget(containerId: string): void {
    this.containers.delete(containerId);
  }

  private emptySample(): PerfStatistics {
    return { timestamp: this.clock.now() / 1000, duration: 0 };
  }

  private sample(): void {
    const next = this.clock.monotonic() + this.flags.interval;
    this.sampleOnce()
      // What made it fail may pass: a container that ended just before, for one.
      .catch(
        (error: unknown) => this.stopped || this.logger.error({ err: error }, "no sample of perf events"),
      )
      .finally(() => {
        if (this.stopped) return;
        this.timer = this.clock.setTimeout(() => this.sample(), next - this.clock.monotonic());
      });
  }

  private async sampleOnce(): Promise<void> {
    const { events, duration } = this.flags;
    const sampled = [...this.containers.values()].filter(({ group }) => group.exists());
    if (sampled.length === 0) return;
    const timestamp = this.clock.now() / 1000;
    const cgroups = sampled.map(({ group }) => group.perfEvent.name);
    const counts = await this.perf.sample({ events, cgroups, duration });
    for (const one of sampled) {
      const found = counts.get(one.group.perfEvent.name);
      if (found !== undefined) one.latest = { ...found, timestamp, duration: duration / 1000 };
    }
  }
}
