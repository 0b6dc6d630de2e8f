import { expect } from "chai";
import { ContainerInfo_Type, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { sharedExecutor } from "../examples/run-example.js";
import { getJson, until } from "../support/cluster.js";
import { OneAgent } from "../support/one-agent.js";
import { PodRunner } from "../support/pod-runner.js";
import { requireThat } from "../support/require-part.js";
import type { Runner } from "../support/runner.js";

const MB = 1024 * 1024;

interface Usage {
  readonly executor_id: string;
  readonly statistics: Readonly<Record<string, number>>;
}

describe("limits of tasks on a real agent", function () {
  this.timeout(60_000);
  let host: OneAgent;
  let runner: Runner;

  before(async function () {
    requireThat(this, process.getuid?.() === 0, "control groups need root");
    host = await OneAgent.open(["--isolation=cgroups/cpu,cgroups/mem", "--cgroups_enable_cfs"]);
    runner = host.runner;
  });

  after(() => host?.close());

  /** Undefined also while the agent recovers. */
  const usage = async (name: string): Promise<Usage["statistics"] | undefined> => {
    const all = await getJson(host.agent, "/monitor/statistics").catch(() => []);
    return (all as Usage[]).find(({ executor_id: id }) => id === name)?.statistics;
  };

  it("are those of the container, with what the agent adds, and are kept by an agent that comes back", async () => {
    const limits = { cpus: { value: 1 }, mem: { value: 128 } };
    runner.run("limited", { value: "sleep 1000" }, { limits });
    await runner.reaches("limited", TaskState.TASK_RUNNING);
    const check = async (): Promise<void> => {
      const { mem_limit_bytes, mem_soft_limit_bytes, cpus_limit, cpus_soft_limit } = (await usage(
        "limited",
      ))!;
      expect([mem_limit_bytes! / MB, mem_soft_limit_bytes! / MB]).to.deep.equal([160, 64]);
      expect([cpus_limit, cpus_soft_limit]).to.deep.equal([1.1, 0.2]);
    };
    await check();
    await host.kill();
    await until(async () => (await usage("limited"))?.mem_limit_bytes !== undefined);
    await check();
    await runner.kill("limited");
  });

  it("end a task that goes over its memory limit, not over its request", async () => {
    const hog = (megabytes: number) => `perl -e '$x = "x" x (${megabytes} * 1024 * 1024); print length $x'`;
    const limits = { mem: { value: 256 } };
    runner.run("within", { value: hog(128) }, { limits });
    await runner.reaches("within", TaskState.TASK_FINISHED);
    runner.run("over", { value: hog(512) }, { limits });
    await runner.reaches("over", TaskState.TASK_FAILED);
    const last = runner.last("over")!;
    expect(last.reason, "REASON_CONTAINER_LIMITATION_MEMORY").to.equal(8);
    expect(last.message).to.match(/Memory limit exceeded/);
    expect(last.limitation?.resources.map(({ name }) => name)).to.include("mem");
  });

  it("of several tasks of one executor add up in its container, and shrink with them", async () => {
    const executor = sharedExecutor("shared");
    const run = (name: string, mem: number) =>
      runner.run(name, {}, { executor, data: Buffer.from("1000000"), limits: { mem: { value: mem } } });
    const limit = async () => ((await usage("shared"))?.mem_limit_bytes ?? 0) / MB;
    run("first", 256);
    await runner.reaches("first", TaskState.TASK_RUNNING);
    expect(await limit()).to.equal(128 + 256);
    run("second", 512);
    await runner.reaches("second", TaskState.TASK_RUNNING);
    expect(await limit()).to.equal(128 + 256 + 512);
    await runner.kill("first");
    await until(async () => (await limit()) === 128 + 512);
  });

  it("of a pod's task that has groups of its own go with it, and the pod goes on", async () => {
    const pods = new PodRunner(host.cluster);
    const container = { type: ContainerInfo_Type.MESOS, linux_info: { share_cgroups: false } };
    try {
      await pods.start();
      pods.run("pod", [
        // What it leaves behind takes a moment to end.
        { id: "large", command: "sleep 1000 & exit 0", more: { container, limits: { cpus: { value: 2 } } } },
        { id: "small", command: "sleep 1000", more: { container } },
      ]);
      await pods.reaches("large", TaskState.TASK_FINISHED);
      // The executor's, and what the agent allows for the other task.
      await until(async () => (await usage("pod"))?.cpus_limit === 0.2);
      await pods.kill("small");
      await pods.reaches("small", TaskState.TASK_KILLED);
      expect(pods.of("small").at(-1)).to.equal('TASK_KILLED "Command terminated with signal Terminated"');
    } finally {
      await pods.stop();
    }
  });
});
