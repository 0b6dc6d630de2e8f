import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { expect } from "chai";
import type { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { type FilePlan, finish, LinuxBench, marked } from "./support.js";

/** What tries to stay, each a script that starts it and then waits. */
const ESCAPES: Readonly<Record<string, string>> = {
  "a fork bomb": "f() { f | f & }; f; while :; do :; done",
  "daemons of daemons": "(setsid sh -c 'setsid sleep 1000 & setsid sleep 1000 &' &); exec sleep 1000",
  "processes in sessions of their own": "for i in 1 2 3; do setsid sleep 1000 & done; wait",
  "processes that ignore signals": "trap '' TERM INT HUP; (trap '' TERM; setsid sleep 1000) & sleep 1000",
  "processes that are stopped": "sleep 1000 & kill -STOP $!; setsid sh -c 'kill -STOP $$' & kill -STOP $$",
  "a daemon whose parents are gone": "(setsid sleep 1000 &); exit 0",
  "a chain that goes on forking": 'c=\'sh -c "$0" "$0" & exit\'; sh -c "$c" "$c"; exec sleep 1000',
};

const KINDS: Readonly<Record<string, Contribution>> = {
  "plain processes": {},
  "a pid namespace": { namespaces: ["pid", "mount", "ipc"] },
};

describe("destruction, linux launcher", () => {
  let bench: LinuxBench;
  let launcher: LinuxLauncher;

  before(async function () {
    bench = await LinuxBench.open(this);
    launcher = await bench.launcher();
  });

  after(() => bench?.close());

  const marker = (): string => `TEPUI_TEST_MARK=${bench.root}`;

  function attempt(script: string, contribution: Contribution): FilePlan {
    // Few enough that the bomb leaves the machine to others.
    const rlimits = { nproc: { soft: 300, hard: 300 } };
    return bench.plan(["sh", "-c", script], {
      environment: { PATH: "/bin:/usr/bin", TEPUI_TEST_MARK: bench.root },
      contribution: { ...contribution, rlimits },
      user: "daemon",
      stdout: "/dev/null",
      stderr: "/dev/null",
    });
  }

  /** @param members how many processes there are to be first, if it comes to that soon */
  async function destroyed(script: string, contribution: Contribution, members: number): Promise<void> {
    const plan = attempt(script, contribution);
    const container = await launcher.launch(plan);
    await container.go();
    const group = bench.group(plan.containerId);
    const grown = () => (group.processes().length > members || !group.exists() ? true : undefined);
    await eventually(grown, 100).catch(() => undefined);
    await launcher.destroy(plan.containerId);
    expect(group.exists(), script).to.equal(false);
    expect(marked(marker()), script).to.deep.equal([]);
  }

  for (const [kind, contribution] of Object.entries(KINDS)) {
    it(`leaves nothing of ${kind} that tries to stay`, async () => {
      for (const script of Object.values(ESCAPES)) await destroyed(script, contribution, 3);
    });

    it(`leaves nothing of ${kind}, 100 times out of 100`, async () => {
      const scripts = Object.values(ESCAPES);
      for (let round = 0; round < 100; round++) {
        // At a different moment each time, up to when it has done what it is to do.
        await destroyed(scripts[round % scripts.length]!, contribution, round % 5);
      }
    }).timeout(180_000);
  }

  it("ends what a finished command left behind, without being told", async () => {
    for (const contribution of Object.values(KINDS)) {
      const plan = attempt("setsid sleep 1000 & setsid sleep 1000 & exit 4", contribution);
      const container = await launcher.launch(plan);
      await container.go();
      expect(await container.exited).to.deep.equal({ code: 4, signal: undefined });
      await eventually(() => (bench.group(plan.containerId).processes().length > 0 ? undefined : true));
      expect(marked(marker())).to.deep.equal([]);
      await launcher.destroy(plan.containerId);
    }
  });

  it("ends a container whose shim was killed, or stopped", async () => {
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      for (const contribution of Object.values(KINDS)) {
        const plan = attempt("setsid sleep 1000 & exec sleep 1000", contribution);
        const container = await launcher.launch(plan);
        await container.go();
        const shim = readProcessStat(container.pid)!.parent;
        process.kill(shim, signal);
        await launcher.destroy(plan.containerId);
        expect(marked(marker()), signal).to.deep.equal([]);
        expect(bench.group(plan.containerId).exists()).to.equal(false);
        await eventually(() => (isAlive(readProcessStat(shim)) ? undefined : true));
      }
    }
  });

  it("ends a container that somebody froze", async () => {
    const plan = attempt("setsid sleep 1000 & exec sleep 1000", {});
    const container = await launcher.launch(plan);
    await container.go();
    await bench.group(plan.containerId).freeze();
    await launcher.destroy(plan.containerId);
    expect(marked(marker())).to.deep.equal([]);
    expect(await container.exited).to.deep.equal({ code: undefined, signal: 9 });
  });

  it("ends what an earlier run left, and nothing of another agent", async () => {
    const [first, other] = [await bench.launcher(), await bench.launcher()];
    const mine = attempt("setsid sleep 1000 & exec sleep 1000", {});
    const theirs = attempt("exec sleep 1000", {});
    const orphan = await first.launch(mine);
    await orphan.go();
    const alive = await other.launch(theirs);
    await alive.go();
    const shim = readProcessStat(orphan.pid)!.parent;
    await first.stop();
    // Nothing is left to tell of it but its record and its control group.
    process.kill(shim, "SIGKILL");
    const next = await bench.launcher();
    await next.reattach(mine.containerId, mine.record);
    await next.destroy(mine.containerId);
    expect(bench.group(mine.containerId).exists()).to.equal(false);
    expect(marked(marker())).to.deep.equal([alive.pid]);
    // Nobody said that this one is its own.
    await next.destroy(theirs.containerId);
    expect(isAlive(readProcessStat(alive.pid))).to.equal(true);
    await other.destroy(theirs.containerId);
  });

  it("ends what is in the control group of a record that says no more", async () => {
    const plan = bench.plan(["true"]);
    const group = bench.group(plan.containerId);
    const lone = attempt("exec sleep 1000", {});
    const container = await launcher.launch(lone);
    await container.go();
    group.create();
    group.add(container.pid);
    await writeFile(plan.record, `cgroup ${group.path}\n`);
    expect(await launcher.reattach(plan.containerId, plan.record)).to.equal(undefined);
    expect(group.exists()).to.equal(false);
    expect(await container.exited).to.deep.equal({ code: undefined, signal: 9 });
    await launcher.destroy(lone.containerId);
  });

  it("survives being destroyed by several at once, and while it starts", async () => {
    const plan = attempt("exec sleep 1000", { namespaces: ["pid"] });
    const launching = launcher.launch(plan).then(
      (container) => container.go(),
      () => undefined,
    );
    await Promise.all([launcher.destroy(plan.containerId), launcher.destroy(plan.containerId)]);
    await launching.catch(() => undefined);
    expect(bench.group(plan.containerId).exists()).to.equal(false);
    expect(marked(marker())).to.deep.equal([]);
    const again = await finish(launcher, bench.plan(["true"]));
    expect(again.exit).to.deep.equal({ code: 0, signal: undefined });
    expect(existsSync(again.plan.record)).to.equal(true);
  });
});
