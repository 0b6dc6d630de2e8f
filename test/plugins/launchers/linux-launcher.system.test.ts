import { spawn } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import type { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { failure, finish, LinuxBench, text } from "./support.js";

describe("linux launcher", () => {
  let bench: LinuxBench;
  let launcher: LinuxLauncher;

  before(async function () {
    bench = await LinuxBench.open(this);
    launcher = await bench.launcher();
  });

  after(() => bench?.close());

  it("runs a command, and leaves neither process nor control group", async () => {
    const done = await finish(launcher, bench.plan(["sh", "-c", "cat /proc/self/cgroup; exit 5"]));
    expect(done.exit).to.deep.equal({ code: 5, signal: undefined });
    expect(done.stdout).to.contain(`/${bench.root}/${done.plan.containerId}`);
    expect(bench.groups()).to.deep.equal([]);
    expect(await text(done.plan.record)).to.match(/^cgroup \S+\nstarted dedicated .*\nexited 1280\n$/);
  });

  it("tells an exit with 143 from a death by SIGTERM, also through process 1", async () => {
    for (const contribution of [{}, { namespaces: ["pid"] as const }]) {
      const exited = await finish(launcher, bench.plan(["sh", "-c", "exit 143"], { contribution }));
      const killed = await finish(launcher, bench.plan(["sh", "-c", "kill -TERM $$"], { contribution }));
      expect(exited.exit).to.deep.equal({ code: 143, signal: undefined });
      expect(killed.exit).to.deep.equal({ code: undefined, signal: 15 });
    }
  });

  it("has the namespaces before it is let go, and makes the files afterwards", async () => {
    const path = join(bench.directory, "late");
    const plan = bench.plan(["cat", "/tmp/late"], {
      contribution: bench.inRootfs({
        namespaces: ["network", "uts", "ipc", "cgroup"],
        mounts: [{ source: path, target: "/tmp/late", create: "file" }],
      }),
    });
    const container = await launcher.launch(plan);
    for (const kind of ["net", "uts", "ipc", "cgroup", "mnt", "pid"]) {
      const own = readlinkSync(`/proc/${container.pid}/ns/${kind}`);
      expect(own, kind).not.to.equal(readlinkSync(`/proc/self/ns/${kind}`));
    }
    expect(bench.groups()).to.deep.equal([`${bench.root}/${plan.containerId}`]);
    await writeFile(path, "made while it waited");
    await container.go();
    await container.exited;
    await launcher.destroy(plan.containerId);
    expect(await text(plan.stdout)).to.equal("made while it waited");
  });

  it("enters namespaces that exist", async () => {
    const first = bench.plan(["sleep", "1000"], {
      contribution: { namespaces: ["pid", "ipc", "network", "uts"], hostname: "first" },
    });
    const { pid, go } = await launcher.launch(first);
    await go();
    const enter = {
      pid: `/proc/${pid}/ns/pid`,
      ipc: `/proc/${pid}/ns/ipc`,
      network: `/proc/${pid}/ns/net`,
      uts: `/proc/${pid}/ns/uts`,
    };
    const second = await finish(
      launcher,
      bench.plan(["sh", "-c", "hostname; echo $$"], { contribution: { enter } }),
    );
    // Numbers are small in there.
    expect(second.stdout).to.match(/^first\n\d{1,2}\n$/);
    expect(second.exit).to.deep.equal({ code: 0, signal: undefined });
    // What it leaves behind is adopted by the other's process 1, and still ends with it.
    const leaves = bench.plan(["sh", "-c", "setsid sleep 1000 & exec sleep 1000"], {
      contribution: { enter },
    });
    const container = await launcher.launch(leaves);
    await container.go();
    await eventually(() => (bench.group(leaves.containerId).processes().length === 2 ? true : undefined));
    await launcher.destroy(leaves.containerId);
    expect(bench.group(leaves.containerId).exists()).to.equal(false);
    expect(isAlive(readProcessStat(pid))).to.equal(true);
    await launcher.destroy(first.containerId);
  });

  it("sees only itself in a pid namespace, where orphans are reaped", async () => {
    const script = [
      "(true & exec true)",
      // Process 1 and this shell.
      "n=0; set -- /proc/[0-9]*",
      "while [ $# -gt 2 ] && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); set -- /proc/[0-9]*; done",
      "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; grep State $p/status; done",
    ].join("\n");
    const done = await finish(launcher, bench.plan(["sh", "-c", script], { contribution: bench.inRootfs() }));
    const names = done.stdout.split("\n").filter((line) => line.includes("State"));
    expect(done.stdout).to.contain("tepui-init");
    expect(done.stdout).not.to.contain("zombie");
    // Process 1, the shell, and what reads.
    expect(names.length).to.be.within(2, 3);
  });

  it("ends all of a pid namespace with the command", async () => {
    const plan = bench.plan(["sh", "-c", "setsid sleep 1000 & setsid sleep 1000 & exit 3"], {
      contribution: { namespaces: ["pid"] },
    });
    const done = await finish(launcher, plan);
    expect(done.exit).to.deep.equal({ code: 3, signal: undefined });
    expect(bench.groups()).to.deep.equal([]);
  });

  it("signals every process but not process 1", async () => {
    const plan = bench.plan(["sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"], {
      contribution: { namespaces: ["pid"] },
    });
    const container = await launcher.launch(plan);
    await container.go();
    await eventually(async () => ((await text(plan.stdout)) === "up\n" ? true : undefined));
    expect(await launcher.signal(plan.containerId, 15)).to.equal(true);
    expect(await container.exited).to.deep.equal({ code: 9, signal: undefined });
    await launcher.destroy(plan.containerId);
    expect(await launcher.signal(plan.containerId, 15)).to.equal(false);
  });

  it("sets the host name in the container alone", async () => {
    const own = readFileSync("/proc/sys/kernel/hostname", "utf8");
    const contribution = { namespaces: ["uts"] as const, hostname: "inside.example" };
    const done = await finish(launcher, bench.plan(["hostname"], { contribution }));
    expect(done.stdout).to.equal("inside.example\n");
    expect(readFileSync("/proc/sys/kernel/hostname", "utf8")).to.equal(own);
  });

  it("refuses what contradicts itself or would change the host", async () => {
    const asks = async (contribution: object): Promise<string> =>
      failure(launcher, bench.plan(["true"], { contribution }));
    expect(await asks({ hostname: "x" })).to.contain("the host name 'x' needs a uts namespace");
    expect(await asks({ mounts: [{ source: "/x", target: "/y" }] })).to.contain("need a mount namespace");
    expect(await asks({ namespaces: ["ipc"], enter: { ipc: "/x" } })).to.contain(
      "cannot both have a ipc namespace",
    );
    expect(await asks({ rlimits: { nofiles: {} } })).to.contain("there is no limit 'nofiles'");
    expect(await asks({ capabilities: { bounding: ["CAP_CHOWN"] } })).to.contain("no capability 'CAP_CHOWN'");
    expect(bench.groups()).to.deep.equal([]);
  });

  it("takes nothing in a text for a word of its own", async () => {
    const made = join(bench.directory, "made");
    const words = ["stdout_command", "3", "sh", "-c", `echo > "${made}"; cat`].join("\0");
    expect(await failure(launcher, bench.plan(["sh", "-c", `true\0${words}`]))).to.include(
      "a NUL character in the container's argv",
    );
    const named = bench.plan(["true"], { contribution: { namespaces: ["uts"], hostname: `x\0${words}` } });
    expect(await failure(launcher, named)).to.include("a NUL character in the container's hostname");
    expect(existsSync(made)).to.equal(false);
  });

  it("names the step and the path that failed, and leaves nothing", async () => {
    const cases: [object, RegExp][] = [
      [{ enter: { network: "/no/net" } }, /Failed to enter the network namespace '\/no\/net': No such file/],
      [{ cgroups: ["/no/cgroup"] }, /Failed to join the cgroup '\/no\/cgroup': No such file/],
      [
        { namespaces: ["mount"], mounts: [{ source: "none", target: "/tmp", type: "nosuchfs" }] },
        /Failed to mount 'none' at '\/tmp': No such device/,
      ],
      [
        { namespaces: ["mount"], rootfs: { path: "/no/rootfs", mounts: [] } },
        /Failed to mount '\/no\/rootfs' at '\/no\/rootfs': No such file/,
      ],
      [{ oomScoreAdjust: 5000 }, /Failed to set oom_score_adj: Invalid argument/],
    ];
    for (const [contribution, expected] of cases) {
      expect(await failure(launcher, bench.plan(["true"], { contribution }))).to.match(expected);
    }
    const missing = bench.plan(["no-such-program"], { contribution: bench.inRootfs() });
    expect(await failure(launcher, missing)).to.match(/Failed to execute 'no-such-program': No such file/);
    const nobody = bench.plan(["true"], { user: "no-such-user" });
    expect(await failure(launcher, nobody)).to.match(/user 'no-such-user' does not exist/);
    expect(bench.groups()).to.deep.equal([]);
  });

  it("destroys a container that was never let go", async () => {
    const plan = bench.plan(["sh", "-c", "echo ran"], { contribution: bench.inRootfs() });
    await launcher.launch(plan);
    await launcher.destroy(plan.containerId);
    expect(await text(plan.stdout)).to.equal("");
    expect(bench.groups()).to.deep.equal([]);
  });

  it("finds the true end of a container that outlived its launcher", async () => {
    const first = await bench.launcher();
    const plan = bench.plan(["sh", "-c", "while [ ! -e release ]; do sleep 0.05; done; kill -9 $$"], {
      contribution: { namespaces: ["pid"] },
    });
    const container = await first.launch(plan);
    await container.go();
    await first.stop();
    const next = await bench.launcher();
    const found = await next.reattach(plan.containerId, plan.record);
    expect(found!.pid).to.equal(container.pid);
    expect(await next.signal(plan.containerId, 0)).to.equal(true);
    await writeFile(join(bench.directory, "release"), "");
    expect(await found!.exited).to.deep.equal({ code: undefined, signal: 9 });
    await next.destroy(plan.containerId);
    await next.forget(plan.record);
    await eventually(() =>
      access(plan.record).then(
        () => undefined,
        () => true,
      ),
    );
    expect(bench.groups()).to.deep.equal([]);
  });

  it("destroys a running container of an earlier run", async () => {
    const first = await bench.launcher();
    const plan = bench.plan(["sh", "-c", "setsid sleep 1000 & exec sleep 1000"]);
    const container = await first.launch(plan);
    await container.go();
    await first.stop();
    const next = await bench.launcher();
    const found = await next.reattach(plan.containerId, plan.record);
    await next.destroy(plan.containerId);
    expect(await found!.exited).to.deep.equal({ code: undefined, signal: 9 });
    expect(bench.groups()).to.deep.equal([]);
  });

  it("takes over a container of another agent with its control group, and ends what left the tree, too", async () => {
    const plan = bench.plan([]);
    const group = bench.group(plan.containerId);
    group.create();
    const left = join(bench.directory, "left");
    const script = `read go; (setsid sh -c 'echo $$ > ${left}; exec sleep 1000' &); exec sleep 1000`;
    const child = spawn("sh", ["-c", script], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
    const pid = child.pid!;
    try {
      group.add(pid);
      child.stdin.write("\n");
      const orphan = await eventually(async () => {
        const written = await text(left);
        return written.endsWith("\n") ? Number(written) : undefined;
      });
      const found = await launcher.adopt(plan.containerId, plan.record, pid);
      expect(found!.pid).to.equal(pid);
      expect(await text(plan.record)).to.contain(`cgroup ${bench.root}/${plan.containerId}\n`);
      await launcher.destroy(plan.containerId);
      expect(await found!.exited).to.equal(undefined);
      expect([pid, orphan].filter((one) => isAlive(readProcessStat(one)))).to.deep.equal([]);
      expect(bench.groups()).to.deep.equal([]);
      expect(await launcher.adopt("gone", `${plan.record}.gone`, orphan)).to.equal(undefined);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("ends a container with the launcher where it is not to outlive it", async () => {
    for (const namespaces of [[], ["pid"]] as const) {
      const first = await bench.launcher();
      const plan = bench.plan(["sh", "-c", "setsid sleep 1000 & exec sleep 1000"], {
        outlivesAgent: false,
        contribution: { namespaces },
      });
      const container = await first.launch(plan);
      await container.go();
      await first.stop();
      await eventually(() => (isAlive(readProcessStat(container.pid)) ? undefined : true));
      await eventually(() => (bench.group(plan.containerId).exists() ? undefined : true));
    }
  });

  it("says what is missing where it cannot run", async () => {
    const program = "$| = 1; print qq(H 1 the kernel is too old\\n); <STDIN>";
    const refused = await bench.launcher(program).then(() => "", String);
    expect(refused).to.match(/linux launcher cannot run here: the kernel is too old/);
    const path = process.env.PATH;
    process.env.PATH = "/nonexistent";
    const without = await bench.launcher().then(() => "", String);
    process.env.PATH = path;
    expect(without).to.match(/linux launcher cannot run here: it needs Perl \(perl-base\)/);
  });

  it("starts fifty containers at once", async () => {
    const plans = Array.from({ length: 50 }, (_, index) =>
      bench.plan(["sh", "-c", `echo ${index}; exit ${index}`], {
        contribution: bench.inRootfs({ namespaces: ["ipc", "uts"], hostname: `h${index}` }),
      }),
    );
    const ends = await Promise.all(plans.map((plan) => finish(launcher, plan)));
    expect(ends.map(({ exit }) => exit?.code)).to.deep.equal(plans.map((_, index) => index));
    expect(ends.map(({ stdout }) => stdout)).to.deep.equal(plans.map((_, index) => `${index}\n`));
    expect(bench.groups()).to.deep.equal([]);
    expect(existsSync(bench.rootfs.path)).to.equal(true);
  });
});
