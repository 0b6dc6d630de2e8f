import { expect } from "chai";
import { eventually } from "../../support/eventually.js";
import { requirePart } from "../../support/require-part.js";
import { CgroupsBench, requireCgroups } from "./support.js";

describe("cgroups/perf_event", () => {
  before(async function () {
    requirePart(this, "perf", "linux-perf");
    await requireCgroups(this, ["perf_event", "freezer"]);
  });

  it("samples each container by itself", async () => {
    const bench = await CgroupsBench.open({
      isolation: "cgroups/perf_event",
      perf_events: "task-clock,context-switches",
      perf_duration: "100ms",
      perf_interval: "150ms",
    });
    try {
      const [busy, idle] = [await bench.launch("while :; do :; done"), await bench.launch("sleep 1000")];
      const sample = async (id: string) => {
        const { perf } = await bench.containerizer.usage({ value: id });
        return perf!.duration! > 0 ? perf! : undefined;
      };
      const worked = await eventually(async () => {
        const found = await sample(busy);
        return (found?.task_clock ?? 0) > 0 ? found : undefined;
      });
      expect(worked).to.have.property("context_switches").that.is.a("bigint");
      expect(worked.duration).to.equal(0.1);
      expect((await eventually(() => sample(idle))).task_clock).to.be.lessThan(worked.task_clock!);
    } finally {
      await bench.close();
    }
  });
});
