import { expect } from "chai";
import { AGENT_ID, AgentBench, FRAMEWORK_ID } from "./support/agent-bench.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function withFinishedTask() {
  const bench = await AgentBench.registered({ gcDelay: 10 * DAY, diskWatchInterval: HOUR });
  bench.run(bench.task("t1"), bench.framework({ checkpoint: true }));
  await bench.settle();
  const { request } = bench.containerizer.of("t1");
  bench.containerizer.of("t1").exit(0);
  await bench.drain("t1");
  return { bench, sandbox: request.directory };
}

describe("sandboxes of finished executors", () => {
  it("stay for gc_delay while the disk is empty", async () => {
    const { bench, sandbox } = await withFinishedTask();
    // Days without a master would be days of registering again.
    bench.agent.link.stop();
    bench.diskUsage = -0.1;
    await bench.clock.advance(10 * DAY - 1);
    expect(bench.disk.paths("remove")).to.deep.equal([]);
    await bench.clock.advance(1);
    const meta = `/srv/meta/slaves/${AGENT_ID}/frameworks/${FRAMEWORK_ID}`;
    expect(bench.disk.paths("remove")).to.include(sandbox).and.to.include(`${meta}/executors/t1`);
    const removed = bench.metrics.snapshot().get("gc/path_removals_succeeded");
    expect(removed).to.equal(bench.disk.paths("remove").length);
  });

  it("get no older than gc_delay * (1 - headroom - usage)", async () => {
    const { bench, sandbox } = await withFinishedTask();
    bench.agent.link.stop();
    bench.diskUsage = 0.5;
    await bench.clock.advance(4 * DAY - 2 * HOUR);
    expect(bench.disk.paths("remove")).to.deep.equal([]);
    await bench.clock.advance(3 * HOUR);
    expect(bench.disk.paths("remove")).to.include(sandbox);
    expect(bench.metrics.snapshot().get("slave/executor_directory_max_allowed_age_secs")).to.be.closeTo(
      4 * 86_400,
      1,
    );
  });

  it("go at the next look at a full disk", async () => {
    const { bench, sandbox } = await withFinishedTask();
    bench.diskUsage = 1;
    await bench.clock.advance(HOUR);
    expect(bench.disk.paths("remove")).to.include(sandbox);
  });

  it("stay where an executor of that id runs again", async () => {
    const { bench, sandbox } = await withFinishedTask();
    bench.run(bench.task("t1"));
    bench.diskUsage = 1;
    await bench.clock.advance(HOUR);
    const removed = bench.disk.paths("remove");
    expect(removed).to.include(sandbox);
    const inUse = bench.containerizer.of("t1").request.directory;
    expect(removed.filter((path) => `${inUse}/`.startsWith(`${path}/`))).to.deep.equal([]);
  });

  it("are counted when they cannot be removed, and nothing else fails", async () => {
    const { bench } = await withFinishedTask();
    bench.disk.failing = ({ op }) => op === "remove";
    bench.diskUsage = 1;
    await bench.clock.advance(HOUR);
    expect(bench.metrics.snapshot().get("gc/path_removals_failed")).to.be.greaterThan(0);
    expect(bench.metrics.snapshot().get("gc/path_removals_pending")).to.equal(0);
  });
});
