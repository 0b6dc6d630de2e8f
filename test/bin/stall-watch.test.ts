import { expect } from "chai";
import { watchForStalls } from "../../bin/stall-watch.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";

describe("a process that does nothing else for a while", () => {
  it("is told, and why, and one that is only somewhat late is not", () => {
    const logger = new MemoryLogger();
    const at = { time: 5000, cpu: 100 };
    let look = (): void => expect.fail("nothing looks");
    let watching = true;
    const clock = {
      now: () => at.time,
      monotonic: () => at.time,
      setTimeout: () => expect.fail("it looks again and again"),
      setInterval: (fn: () => void) => {
        look = fn;
        return {
          cancel: () => {
            watching = false;
          },
        };
      },
    };
    const end = watchForStalls({
      clock,
      logger,
      cpuUsage: () => ({ user: at.cpu * 1000, system: 0 }),
    });
    const passes = (ms: number, cpu: number): void => {
      at.time += ms;
      at.cpu += cpu;
      look();
    };
    passes(1000, 1000);
    passes(2900, 2900);
    expect(logger.lines).to.deep.equal([]);
    passes(6000, 4900);
    passes(1000, 0);
    passes(61_000, 20);
    expect(logger.lines.map(({ level, message, fields }) => ({ level, message, fields }))).to.deep.equal([
      {
        level: "warn",
        message: "all else waited for code that computed without a break; a plugin's should pause",
        fields: { ms: 5000, cpuMs: 4900 },
      },
      {
        level: "warn",
        message: "all else waited: this process was stopped, or waited for memory or a disk",
        fields: { ms: 60_000, cpuMs: 20 },
      },
    ]);
    end();
    expect(watching).to.equal(false);
  });
});
