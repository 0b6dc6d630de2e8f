import { join } from "node:path";
import { readCounters, readNumber, writeControl } from "../control-file.js";
import type { CpuAccounting, CpuControl, CpuQuota, CpuThrottling, CpuUsage } from "../controls.js";

const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;

export class CpuV1 implements CpuControl {
  constructor(readonly directory: string) {}

  setShares(shares: number): void {
    const whole = Math.min(Math.max(Math.floor(shares), LEAST_SHARES), MOST_SHARES);
    writeControl(join(this.directory, "cpu.shares"), whole);
  }

  shares(): number {
    return readNumber(join(this.directory, "cpu.shares"));
  }

  setQuota(quota: CpuQuota | undefined): void {
    if (quota !== undefined)
      writeControl(join(this.directory, "cpu.cfs_period_us"), Math.round(quota.periodUs));
    writeControl(
      join(this.directory, "cpu.cfs_quota_us"),
      quota === undefined ? -1 : Math.round(quota.quotaUs),
    );
  }

  quota(): CpuQuota | undefined {
    const quotaUs = readNumber(join(this.directory, "cpu.cfs_quota_us"));
    return quotaUs < 0
      ? undefined
      : { quotaUs, periodUs: readNumber(join(this.directory, "cpu.cfs_period_us")) };
  }

  throttling(): CpuThrottling {
    const stat = readCounters(join(this.directory, "cpu.stat"));
    return {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledSeconds: (stat.throttled_time ?? 0) / 1e9,
    };
  }
}

/** `cpuacct.stat` counts in hundredths of a second on every Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;

export class CpuAccountingV1 implements CpuAccounting {
  constructor(readonly directory: string) {}

  usage(): CpuUsage {
    const { user = 0, system = 0 } = readCounters(join(this.directory, "cpuacct.stat"));
    return { userSeconds: user / TICKS_PER_SECOND, systemSeconds: system / TICKS_PER_SECOND };
  }
}
