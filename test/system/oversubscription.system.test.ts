import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  FrameworkInfo_Capability_Type as Capability,
  type Offer,
  TaskStatus_Reason as Reason,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import { Resources, resourceList, SchedulerClient } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import { Runner } from "../support/runner.js";

const FIXED = "org_apache_mesos_FixedResourceEstimator";
const SLACK = "tepui_UsageSlackResourceEstimator";
const LOAD = "org_apache_mesos_LoadQoSController";

const modules = (...parameters: [name: string, key: string, value: string][]): string => {
  const names = [...new Set(parameters.map(([name]) => name))];
  const of = (name: string) => parameters.filter((one) => one[0] === name);
  const all = names.map((name) => ({
    name,
    parameters: of(name).map(([, key, value]) => ({ key, value })),
  }));
  return `--modules=${JSON.stringify({ libraries: [{ modules: all }] })}`;
};

const lend = (cpus: number) =>
  resourceList(`cpus:${cpus}`).map((resource) => ({ ...resource, revocable: {} }));

const REVOCABLE = {
  capabilities: [{ type: Capability.REVOCABLE_RESOURCES }, { type: Capability.PARTITION_AWARE }],
};

async function metrics(daemon: { port: number }, ...names: string[]): Promise<(number | undefined)[]> {
  const all = (await getJson(daemon, "/metrics/snapshot")) as Record<string, number>;
  return names.map((name) => all[name]);
}

describe("oversubscribed resources, on a real cluster", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  const stops: (() => Promise<unknown>)[] = [];

  async function start(...agentFlags: string[]): Promise<void> {
    cluster = await startCluster({
      agentFlags: [
        `--resource_estimator=${FIXED}`,
        "--oversubscribed_resources_interval=50ms",
        ...agentFlags,
      ],
    });
    // Offers of before have nothing to run a guest on.
    await until(async () => (await metrics(cluster.master, "master/cpus_revocable_total"))[0] === 6);
  }

  async function runner(framework: ConstructorParameters<typeof Runner>[1]): Promise<Runner> {
    const made = new Runner(cluster, framework);
    stops.push(() => made.stop());
    await made.start();
    return made;
  }

  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await cluster?.stop();
  });

  it("are offered to frameworks with the capability only, and tasks run on them", async () => {
    await start(modules([FIXED, "resources", "cpus:6"]));
    const seen: Offer[] = [];
    const plain = new SchedulerClient({
      master: `127.0.0.1:${cluster.master.port}`,
      framework: { name: "plain" },
    });
    plain.on("offers", async ({ offers }) => {
      seen.push(...offers);
      for (const offer of offers) await plain.decline(offer, { refuse_seconds: 0.05 });
    });
    await plain.start();
    await until(() => seen.length >= 3);
    for (const offer of seen) {
      const offered = Resources.of(offer.resources);
      expect([offered.cpus, offered.revocable().isEmpty]).to.deep.equal([4, true]);
    }
    await plain.teardown();

    const guest = await runner(REVOCABLE);
    guest.run("guest", { value: "sleep 600" }, { resources: [...lend(5), ...resourceList("mem:32")] });
    await guest.reaches("guest", TaskState.TASK_RUNNING);
    const revocable = ["master/cpus_revocable_used", "master/cpus_used"];
    expect(await metrics(cluster.master, ...revocable)).to.deep.equal([5, 0]);
    expect(await metrics(cluster.agents[0]!, "slave/cpus_revocable_used")).to.deep.equal([5]);
    await guest.kill("guest");
  });

  it("are lent to a new master again, with what runs on them", async () => {
    await start(modules([FIXED, "resources", "cpus:6"]));
    const guest = await runner(REVOCABLE);
    guest.run("guest", { value: "sleep 600" }, { resources: [...lend(5), ...resourceList("mem:32")] });
    await guest.reaches("guest", TaskState.TASK_RUNNING);
    await cluster.master.kill();
    const master = await cluster.master.restart();
    stops.push(() => master.stop());
    const names = ["master/cpus_revocable_total", "master/cpus_revocable_used"];
    await until(async () => String(await metrics(master, ...names)) === "6,5");
    // The scheduler is back, too: it has an end to tell.
    await until(async () => (await metrics(master, "master/frameworks_connected"))[0] === 1);
  });

  it("are what containers have and do not use, as measured: less while they are busy", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tepui-slack-"));
    stops.push(() => rm(directory, { recursive: true }));
    cluster = await startCluster({
      agentFlags: [
        `--resource_estimator=${SLACK}`,
        "--oversubscribed_resources_interval=300ms",
        modules(
          [SLACK, "lent_resources", "cpus,mem"],
          [SLACK, "usage_window", "600ms"],
          [SLACK, "usage_reserve", "0"],
        ),
      ],
    });
    const lent = () => metrics(cluster.master, "master/cpus_revocable_total", "master/mem_revocable_total");
    const owner = await runner(REVOCABLE);
    const [go, stop] = [join(directory, "go"), join(directory, "stop")];
    const once = (file: string) => `until [ -e ${file} ]; do sleep 0.2; done`;
    // Ends by itself, too, should nobody be left to end it.
    const spin = "timeout 30 sh -c 'while :; do :; done' &";
    const value = `${once(go)}; ${spin} one=$!; ${spin} ${once(stop)}; kill $one $!; sleep 600`;
    owner.run("owner", { value }, { resources: resourceList("cpus:0.5;mem:512") });
    await owner.reaches("owner", TaskState.TASK_RUNNING);
    // With what it has for its executor it uses next to nothing of 0.6 CPUs, and a few of 544 MB; both are lent in steps.
    await until(async () => String(await lent()) === "0.5,512");

    // Some of what it has it gets even on a busy host.
    await writeFile(go, "");
    await until(async () => String(await lent()) === "0,512");
    await writeFile(stop, "");
    await until(async () => String(await lent()) === "0.5,512");

    owner.run("guest", { value: "sleep 600" }, { resources: [...lend(0.5), ...resourceList("mem:32")] });
    await owner.reaches("guest", TaskState.TASK_RUNNING);
    // With the guest's own part it is as much as before.
    await until(async () => (await metrics(cluster.master, "master/cpus_revocable_used"))[0] === 0.5);
    await until(async () => (await lent())[0] === 0.5);
    await owner.kill("owner");
    // Nobody is left who could lend: only what the guest has is.
    await until(async () => String(await lent()) === "0.5,0");
    await owner.kill("guest");
  });

  it("are taken back when the load is too high: the task is gone, its container too, and it is counted", async () => {
    // Any load is above this threshold.
    const parameters: Parameters<typeof modules> = [
      [FIXED, "resources", "cpus:6"],
      [LOAD, "load_threshold_5min", "-1"],
    ];
    await start(modules(...parameters), `--qos_controller=${LOAD}`, "--qos_correction_interval_min=500ms");
    const framework = await runner(REVOCABLE);
    framework.run("owner", { value: "sleep 600" });
    framework.run("guest", { value: "sleep 600" }, { resources: [...lend(1), ...resourceList("mem:32")] });
    await framework.reaches("guest", TaskState.TASK_GONE);
    expect(framework.last("guest")!.reason).to.equal(Reason.REASON_CONTAINER_PREEMPTED);
    expect(framework.last("guest")!.message).to.match(/^Container preempted by QoS correction/);
    await framework.reaches("owner", TaskState.TASK_RUNNING);
    const [preempted] = await metrics(cluster.agents[0]!, "slave/executors_preempted");
    expect(preempted).to.equal(1);
    await until(async () => {
      const containers = (await getJson(cluster.agents[0]!, "/containers")) as { executor_id: string }[];
      return String(containers.map(({ executor_id }) => executor_id)) === "owner";
    });
    await framework.kill("owner");
  });
});
