import { expect } from "chai";
import { isCounted, parsePerfOutput } from "../../../plugins/cgroups-isolators/perf-output.js";

describe("the output of perf stat", () => {
  it("is read as it was before Linux 3.14, since then, and since 4.6", () => {
    const output = [
      "123,cycles,mesos/a",
      "2.5,msec,task-clock,mesos/a",
      "7,,L1-dcache-loads,mesos/a,100,100.00,,",
      "9,,cycles,mesos/b,100,100.00",
      "<not counted>,,instructions,mesos/b,0,100.00,,",
      "<not supported>,,cache-misses,mesos/b,0,100.00,,",
      "4,,,mesos/b,0,100.00,0.41,stalled cycles per insn",
      "",
    ].join("\n");
    expect([...parsePerfOutput(output)]).to.deep.equal([
      ["mesos/a", { cycles: 123n, task_clock: 2.5, l1_dcache_loads: 7n }],
      ["mesos/b", { cycles: 9n, instructions: 0n }],
    ]);
  });

  it("is refused where it makes no sense", () => {
    for (const line of ["nonsense", "x,cycles,mesos/a", "1,no-such-event,mesos/a"])
      expect(() => parsePerfOutput(line), line).to.throw(line);
  });

  it("has fields for Mesos's events", () => {
    for (const event of ["cycles", "LLC-load-misses", "task-clock"])
      expect(isCounted(event), event).to.equal(true);
    for (const event of ["timestamp", "duration", "power"]) expect(isCounted(event), event).to.equal(false);
  });
});
