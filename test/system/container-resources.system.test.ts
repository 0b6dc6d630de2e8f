import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskStatus_Reason as Reason, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList } from "../../sdk/index.js";
import { getJson, until } from "../support/cluster.js";
import { boxed, ContainerHost } from "../support/container-host.js";

interface Usage {
  readonly executor_id: string;
  readonly statistics: Readonly<Record<string, number>>;
}

describe("resources of containers", function () {
  this.timeout(150_000);
  let host: ContainerHost;

  before(async function () {
    host = await ContainerHost.open(this, { flags: ["--cgroups_enable_cfs"] });
  });
  after(() => host?.close());

  const statistics = async (name: string): Promise<Usage["statistics"]> => {
    const all = (await getJson(host.agent, "/monitor/statistics")) as Usage[];
    return all.find(({ executor_id: id }) => id === name)?.statistics ?? {};
  };

  it("end a task that takes more memory than it has, and nobody else", async () => {
    host.runner.run("neighbour", { value: "while [ ! -e stop ]; do sleep 0.1; done; echo lived" }, boxed());
    await host.runner.reaches("neighbour", TaskState.TASK_RUNNING);
    const pid = host.agent.process.pid;
    const { status } = await host.run(`perl -e 'my $all = "x" x (256 << 20); print length $all'`, {
      ...boxed(),
      resources: resourceList("cpus:0.1;mem:64"),
    });
    expect([status.state, status.reason]).to.deep.equal([
      TaskState.TASK_FAILED,
      Reason.REASON_CONTAINER_LIMITATION_MEMORY,
    ]);
    // Its own 64 MB, and the 32 MB that the agent adds for what runs commands.
    const figures = /Memory limit exceeded: Requested: (\d+)MB.*Maximum Used: (\d+)MB/s.exec(status.message!);
    expect(figures, status.message).not.to.equal(null);
    expect(figures!.slice(1).map(Number)).to.deep.equal([96, 96]);
    expect(status.limitation?.resources.find(({ name }) => name === "mem")?.scalar?.value).to.equal(96);
    expect(host.runner.last("neighbour")!.state).to.equal(TaskState.TASK_RUNNING);
    expect([host.agent.process.pid, host.agent.process.exitCode]).to.deep.equal([pid, null]);
    await host.runner.kill("neighbour");
  });

  it("give a task that spins its share of the CPUs and no more", async () => {
    // And 0.1 that the agent adds.
    host.runner.run(
      "spins",
      { value: "while :; do :; done" },
      { ...boxed(), resources: resourceList("cpus:0.4;mem:32") },
    );
    await host.runner.reaches("spins", TaskState.TASK_RUNNING);
    const PERIOD_SECONDS = 0.1;
    // On a busy host it would get less than its share, and never be held back: before all others it gets that.
    await writeFile(join("/sys/fs/cgroup/cpu", host.cgroupRoot, "cpu.shares"), "262144");
    const figures = async () => {
      const found = await statistics("spins");
      return {
        time: found.timestamp!,
        used: found.cpus_user_time_secs! + found.cpus_system_time_secs!,
        throttled: found.cpus_nr_throttled!,
        limit: found.cpus_limit!,
      };
    };
    await until(async () => ((await statistics("spins")).cpus_nr_throttled ?? 0) > 0);
    expect((await figures()).limit).to.equal(0.5);
    let shares = { cpus: 0, part: 0 };
    const measure = async (): Promise<boolean> => {
      const before = await figures();
      await until(async () => (await figures()).throttled >= before.throttled + 20);
      const after = await figures();
      const used = after.used - before.used;
      // On a busy host it may get less in a period; in one in which it was throttled it had all of it.
      const whole = (after.throttled - before.throttled) * PERIOD_SECONDS * 0.5;
      shares = { cpus: used / (after.time - before.time), part: used / whole };
      return shares.cpus < 0.55 && shares.part > 0.9;
    };
    // An agent that stands still between two of its figures gives some that do not belong together.
    await until(measure, {
      what: "its share, and no more",
      seen: () => JSON.stringify(shares),
    });
    await host.runner.kill("spins");
  });
});
