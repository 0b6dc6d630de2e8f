import { join } from "node:path";
import { readControl, readCounters, readNumber, writeControl } from "../control-file.js";
import type { CpuAccounting, CpuControl, CpuQuota, CpuThrottling, CpuUsage } from "../controls.js";

const SHARES_PER_CPU = 1024;
const WEIGHT_PER_CPU = 100;
const MOST_WEIGHT = 10_000;

/** v1's 1024 and v2's 100 both stand for one CPU's worth. */
export function weightOf(shares: number): number {
  return Math.min(Math.max(Math.round((shares * WEIGHT_PER_CPU) / SHARES_PER_CPU), 1), MOST_WEIGHT);
}

export class CpuV2 implements CpuControl {
  constructor(readonly directory: string) {}

  setShares(shares: number): void {
    writeControl(join(this.directory, "cpu.weight"), weightOf(shares));
  }

  shares(): number {
    return Math.round((readNumber(join(this.directory, "cpu.weight")) * SHARES_PER_CPU) / WEIGHT_PER_CPU);
  }

  setQuota(quota: CpuQuota | undefined): void {
    const value = quota === undefined ? "max" : `${Math.round(quota.quotaUs)} ${Math.round(quota.periodUs)}`;
    writeControl(join(this.directory, "cpu.max"), value);
  }

  quota(): CpuQuota | undefined {
    const [quota, period] = readControl(join(this.directory, "cpu.max")).split(" ");
    return quota === "max" ? undefined : { quotaUs: Number(quota), periodUs: Number(period) };
  }

  throttling(): CpuThrottling {
    const stat = readCounters(join(this.directory, "cpu.stat"));
    return {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledSeconds: (stat.throttled_usec ?? 0) / 1e6,
    };
  }
}

/** In every group, also where the cpu controller is off. */
export class CpuAccountingV2 implements CpuAccounting {
  constructor(readonly directory: string) {}

  usage(): CpuUsage {
    const { user_usec = 0, system_usec = 0 } = readCounters(join(this.directory, "cpu.stat"));
    return { userSeconds: user_usec / 1e6, systemSeconds: system_usec / 1e6 };
  }
}
