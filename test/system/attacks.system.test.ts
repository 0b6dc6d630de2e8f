import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { RLimitInfo_RLimit_Type as RLimit, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { ATTACKS, type Attack, attackProgram, results, type Targets } from "../support/attacks.js";
import { type Cluster, startCluster } from "../support/cluster.js";
import { boxed, ContainerHost, FULL_ISOLATION, setuidProgram } from "../support/container-host.js";
import { requirePart, requireThat } from "../support/require-part.js";
import { Runner, sandboxOf } from "../support/runner.js";

const run = promisify(execFile);

describe("attacks from inside a container", function () {
  this.timeout(60_000);
  let directory: string;
  let victim: ChildProcess;
  let host: ContainerHost;
  let targets: Targets;

  const rlimits = {
    rlimits: [{ type: RLimit.RLMT_NOFILE, soft: 64n, hard: 64n }],
  };

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "containers of their own need root");
    requirePart(this, "gcc", "gcc");
    directory = await mkdtemp(join(tmpdir(), "tepui-attacks-"));
    await chmod(directory, 0o755);
    await writeFile(join(directory, "marker"), "the host\n");
    const mounted = join(directory, "mounted");
    await mkdir(mounted);
    await run("mount", ["-t", "tmpfs", "tepui-attacked", mounted]);
    const setuid = join(directory, "setuid");
    await setuidProgram(setuid);
    victim = spawn("sleep", ["1000"], { env: { VICTIM: "yes" }, stdio: "ignore" });
    host = await ContainerHost.open(this, {
      entries: [{ name: "setuid", mode: 0o4755, content: await readFile(setuid) }],
    });
    host.runner.run("neighbour", { value: "echo secret; sleep 1000" }, boxed());
    await host.runner.reaches("neighbour", TaskState.TASK_RUNNING);
    targets = {
      victim: victim.pid!,
      marker: join(directory, "marker"),
      sandbox: await sandboxOf(host.agent, "neighbour"),
      workDir: await host.workDirectory(),
      mountPoint: join(directory, "mount point"),
      unmount: [mounted],
      group: "/sys/fs/cgroup/cpu/cpu.shares",
      setuid,
    };
  });

  after(async () => {
    await host?.close();
    if (victim !== undefined) {
      victim.kill("SIGKILL");
      if (victim.exitCode === null && victim.signalCode === null) await once(victim, "exit");
    }
    if (directory === undefined) return;
    await run("umount", [join(directory, "mounted")]).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  });

  /** As the container sees it. */
  const inside = (): Targets => ({ ...targets, mountPoint: "/tmp/point", unmount: [], setuid: "/setuid" });
  const script = (of: Targets): string =>
    `cat > attack.pl <<'END'\n${attackProgram(of)}\nEND\nexec perl attack.pl`;

  async function attacked(...[more]: Parameters<typeof boxed>): Promise<ReadonlyMap<string, string>> {
    const { stdout, stderr, status } = await host.run(
      script(inside()),
      boxed({ rlimit_info: rlimits, ...more }),
    );
    expect(status.state, `${status.message} ${stderr}`).to.equal(TaskState.TASK_FINISHED);
    return results(stdout);
  }

  it("all work where nothing isolates, so that they can tell", async () => {
    // The test's own group, since a container of the posix launcher has none.
    const group = join("/sys/fs/cgroup/cpu", host.cgroupRoot, "cpu.shares");
    let cluster: Cluster | undefined;
    let runner: Runner | undefined;
    try {
      cluster = await startCluster({ agentFlags: ["--launcher=posix"] });
      runner = new Runner(cluster);
      await runner.start();
      runner.run("attack", { value: script({ ...targets, group }) });
      await runner.reaches("attack", TaskState.TASK_FINISHED);
      const stdout = await readFile(join(await sandboxOf(cluster.agents[0]!, "attack"), "stdout"), "utf8");
      expect(Object.fromEntries(results(stdout))).to.deep.equal(
        Object.fromEntries(ATTACKS.map((attack) => [attack, "succeeded"])),
      );
    } finally {
      await runner?.stop();
      await cluster?.stop();
    }
  });

  it("all fail where everything does", async () => {
    const found = await attacked();
    expect([...found.keys()]).to.deep.equal([...ATTACKS]);
    expect([...found].filter(([, result]) => result === "succeeded")).to.deep.equal([]);
    const denied: Partial<Record<Attack, RegExp>> = {
      "open a block device": /not permitted/,
      "mount a file system": /not permitted/,
      unmount: /not permitted/,
      "leave the root directory": /the host's files are not there/,
      "change the kernel's settings": /Read-only/,
      "change a device's settings": /Read-only/,
      "lift a limit of its control group": /Read-only/,
      "make a namespace": /not permitted/,
      "raise a resource limit": /not permitted/,
      "take a capability": /not permitted/,
      "become root": /it is user 65534/,
    };
    for (const [attack, reason] of Object.entries(denied)) expect(found.get(attack), attack).to.match(reason);
    expect(await readFile(join(targets.sandbox, "stdout"), "utf8"), "the neighbour").to.contain("secret");
  });

  it("of system calls fail by the profile, and work without", async () => {
    const found = await attacked({ linux_info: { seccomp: { unconfined: true } } });
    expect(found.get("make a namespace")).to.equal("succeeded");
    expect(found.get("mount a file system"), "by capabilities").to.match(/not permitted/);
  });

  describe("where one isolator is missing", () => {
    const without = (...names: string[]): string[] => FULL_ISOLATION.filter((name) => !names.includes(name));
    const cases: readonly (readonly [string, Attack])[] = [
      ["cgroups/devices", "open a block device"],
      ["linux/nnp", "become root"],
      ["linux/capabilities", "take a capability"],
    ];
    for (const [name, attack] of cases) {
      it(`${name}, '${attack}' works`, async function () {
        const whole = host;
        try {
          host = await ContainerHost.open(this, {
            isolation: without(name),
            entries: [{ name: "setuid", mode: 0o4755, content: await readFile(targets.setuid) }],
          });
          expect((await attacked()).get(attack)).to.equal("succeeded");
        } finally {
          if (host !== whole) await host.close();
          host = whole;
        }
      });
    }
  });
});
