import { expect } from "chai";
import fc from "fast-check";
import { type CpuFlags, cpuSettings } from "../../../plugins/cgroups-isolators/cpu.js";
import { memoryLimits, oomScoreAdjust } from "../../../plugins/cgroups-isolators/memory-limits.js";
import { resourcesOf } from "./support.js";

const MB = 1024 * 1024;
const NONE = Number.POSITIVE_INFINITY;

describe("limits of CPU time", () => {
  const settings = (resources: string, limit?: number, flags: Partial<CpuFlags> = {}, version: 1 | 2 = 1) =>
    cpuSettings(
      { resources: resourcesOf(resources), limit },
      { version, flags: { enableCfs: false, revocableLowPriority: true, countProcesses: false, ...flags } },
    );

  it("are Mesos's on v1", () => {
    expect(settings("cpus:1")).to.deep.equal({ shares: 1024, quota: undefined });
    expect(settings("cpus:0.001").shares).to.equal(2);
    expect(settings("cpus:1.5", 2.5).quota).to.deep.equal({ quotaUs: 250_000, periodUs: 100_000 });
    expect(settings("cpus:1.5", undefined, { enableCfs: true }).quota).to.deep.equal({
      quotaUs: 150_000,
      periodUs: 100_000,
    });
    expect(settings("cpus:0.001", undefined, { enableCfs: true }).quota).to.include({ quotaUs: 1000 });
    expect(settings("cpus:1", NONE, { enableCfs: true }).quota).to.equal("none");
    expect(settings("cpus!:3").shares).to.equal(30);
    expect(settings("cpus!:3", undefined, { revocableLowPriority: false }).shares).to.equal(3072);
  });

  it("are Mesos's weights on v2, which are hundredths of 1024 shares", () => {
    const weight = (resources: string): number => (settings(resources, undefined, {}, 2).shares * 100) / 1024;
    expect(weight("cpus:1")).to.equal(100);
    expect(weight("cpus:0.125")).to.equal(12);
    expect(weight("cpus:0.001")).to.equal(1);
    expect(weight("cpus!:8")).to.equal(8);
  });
});

describe("limits of memory", () => {
  it("are the request, unless there is a limit; neither is below 32 MB", () => {
    expect(memoryLimits(resourcesOf("mem:64"), undefined)).to.deep.equal({ soft: 64 * MB, hard: 64 * MB });
    expect(memoryLimits(resourcesOf("mem:64.9"), 128.9)).to.deep.equal({ soft: 64 * MB, hard: 128 * MB });
    expect(memoryLimits(resourcesOf("mem:1"), 2)).to.deep.equal({ soft: 32 * MB, hard: 32 * MB });
    expect(memoryLimits(resourcesOf("mem:64"), NONE)).to.deep.equal({ soft: 64 * MB, hard: undefined });
    expect(memoryLimits(resourcesOf("cpus:1"), undefined)).to.deep.equal({ soft: 32 * MB, hard: 32 * MB });
  });

  it("make those that may use more than they asked for the first to go", () => {
    const host = 1000 * MB;
    expect(oomScoreAdjust({ soft: 100 * MB, hard: 100 * MB }, host)).to.equal(undefined);
    expect(oomScoreAdjust({ soft: 100 * MB, hard: 101 * MB }, host)).to.equal(900);
    expect(oomScoreAdjust({ soft: 100 * MB, hard: undefined }, host)).to.equal(900);
    expect(oomScoreAdjust({ soft: 333 * MB, hard: undefined }, host)).to.equal(667);
  });

  it("never give a score that the kernel does not take", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 32 * MB, max: 2 ** 50 }),
        fc.integer({ min: 1, max: 2 ** 42 }),
        (soft, host) => {
          expect(oomScoreAdjust({ soft, hard: undefined }, host)).to.be.within(-1000, 1000);
        },
      ),
    );
  });
});
