import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import type { LaunchedProcess } from "../../../sdk/contracts/launcher.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { type FilePlan, LinuxBench, text } from "./support.js";

const PROCESSES: Contribution = {
  namespaces: ["pid", "mount"],
  mounts: [{ source: "proc", target: "/proc", type: "proc" }],
};

describe("containers within containers, linux launcher", () => {
  let bench: LinuxBench;
  let launcher: LinuxLauncher;
  let outer: FilePlan;

  before(async function () {
    bench = await LinuxBench.open(this);
    launcher = await bench.launcher();
  });

  after(() => bench?.close());

  afterEach(() => launcher.destroy(outer.containerId));

  const run = async (plan: FilePlan): Promise<LaunchedProcess> => {
    const container = await launcher.launch(plan);
    await container.go();
    return container;
  };

  const start = (script: string, contribution: Contribution = {}): Promise<LaunchedProcess> => {
    outer = bench.plan(["sh", "-c", script], { contribution });
    return run(outer);
  };

  const within = (script: string, contribution: Contribution = {}): FilePlan => {
    const plan = bench.plan(["sh", "-c", script], { contribution });
    return { ...plan, containerId: `${outer.containerId}.${plan.containerId}` };
  };

  const groupOf = ({ containerId }: FilePlan) => bench.group(containerId.replace(".", "/mesos/"));

  it("have a group of their own below that of what they are in, and end without it or with it", async () => {
    await start("exec sleep 1000");
    const [one, two] = [within("exec sleep 1000"), within("sleep 1000 & exec sleep 1000")];
    const [first, second] = [await run(one), await run(two)];
    expect(groupOf(one).processes()).to.deep.equal([first.pid]);
    await launcher.destroy(one.containerId);
    expect(groupOf(one).exists()).to.equal(false);
    expect((await first.exited)!.signal).to.equal(9);
    expect(isAlive(readProcessStat(second.pid))).to.equal(true);
    // The outer one, the second, and what that starts.
    await eventually(() => bench.group(outer.containerId).processes({ below: true }).length > 2 || undefined);
    await launcher.destroy(outer.containerId);
    expect(bench.group(outer.containerId).exists()).to.equal(false);
    expect((await second.exited)!.signal).to.equal(9);
    await launcher.destroy(two.containerId);
  });

  it("are in a group of their own also where they share others with what they are in", async () => {
    await start("exec sleep 1000");
    const cgroups = bench.group(outer.containerId).directories;
    const plan = within("exec sleep 1000", { cgroups });
    const { pid } = await run(plan);
    expect(groupOf(plan).processes()).to.deep.equal([pid]);
    await launcher.destroy(plan.containerId);
  });

  it("have processes below those of what they are in, and end with that, whoever ends it", async () => {
    const { pid } = await start("sleep 1000", PROCESSES);
    const plan = within('echo "$$"; exec sleep 1000', {
      ...PROCESSES,
      enter: { pid: `/proc/${pid}/ns/pid` },
    });
    const inner = await run(plan);
    await eventually(async () => ((await text(plan.stdout)) === "2\n" ? true : undefined));
    const ids = await readFile(join("/proc", String(inner.pid), "status"), "utf8");
    // As seen from the host, from the outer container and in its own.
    expect(/^NSpid:((\s+\d+)+)$/m.exec(ids)![1]!.trim().split(/\s+/)).to.have.length(3);
    process.kill(pid, "SIGKILL");
    expect((await inner.exited)!.signal).to.equal(9);
    await eventually(() => (existsSync(`/proc/${inner.pid}`) ? undefined : true));
    await launcher.destroy(plan.containerId);
  });

  it("say why they cannot be made", async () => {
    await start("exec sleep 1000");
    const plan = within("true", { namespaces: ["pid"], enter: { pid: "/proc/0/ns/pid" } });
    const problem = await launcher.launch(plan).then(() => "it ran", String);
    expect(problem).to.contain("Failed to enter the pid namespace '/proc/0/ns/pid'");
    await launcher.destroy(plan.containerId);
    expect(groupOf(plan).exists()).to.equal(false);
  });
});
