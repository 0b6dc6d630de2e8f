import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { freePort } from "../support/daemons.js";
import { endCgroups } from "../support/end-cgroups.js";
import { requirePart, requireThat } from "../support/require-part.js";

const root = new URL("../../..", import.meta.url).pathname;

describe("an agent that cannot isolate as it is told", function () {
  this.timeout(60_000);
  let directory: string;
  const cgroupRoot = `tepui-bad-${process.pid}`;

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "needs root, to tell what lacks it from what lacks more");
    directory = await mkdtemp(join(tmpdir(), "tepui-bad-"));
    await chmod(directory, 0o777);
    await mkdir(join(directory, "none"));
  });
  after(async () => {
    await endCgroups(cgroupRoot);
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  async function start(
    flags: readonly string[],
    before: readonly string[] = [],
  ): Promise<{ code: number | null; stderr: string }> {
    const work = await mkdtemp(join(directory, "agent-"));
    await chmod(work, 0o777);
    const args = [
      join(root, "bin/mesos-agent"),
      `--master=127.0.0.1:${await freePort()}`,
      "--ip=127.0.0.1",
      `--port=${await freePort()}`,
      `--work_dir=${join(work, "work")}`,
      `--runtime_dir=${join(work, "run")}`,
      `--cgroups_root=${cgroupRoot}`,
      "--logging_level=WARNING",
      ...flags,
    ];
    const [program, ...rest] = [...before, process.execPath, ...args];
    const child = spawn(program!, rest, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    // One that starts all the same is not to go on.
    const limit = setTimeout(() => child.kill("SIGKILL"), 45_000);
    let stderr = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(limit);
    return { code, stderr };
  }

  /** Each part that cannot start says why in one line of its own. */
  function expectLine({ code, stderr }: { code: number | null; stderr: string }, line: RegExp): void {
    expect(code, stderr).to.equal(1);
    const said = stderr.split("\n").filter((each) => each.startsWith("mesos-agent: "));
    const logged = stderr.split("\n").filter((each) => /^[IWE]\d{4} /.test(each) || each === "");
    expect(said.length + logged.length, stderr).to.equal(stderr.split("\n").length);
    expect(
      said.some((each) => line.test(each)),
      stderr,
    ).to.equal(true);
    expect(stderr).not.to.match(/^\s+at /m);
  }

  const linux = "--launcher=linux";
  const cases: Readonly<Record<string, readonly [flags: readonly string[], line: RegExp]>> = {
    "names what is no isolator": [
      ["--isolation=posix/cpu,cgroups/nonsense"],
      /no plugin brings 'cgroups\/nonsense': correct the name, or list a plugin that brings it/,
    ],
    "has no such controller": [
      [linux, "--isolation=cgroups/cpu", "--cgroups_hierarchy=DIRECTORY/none"],
      /'cgroups\/cpu': cgroup controller cpu is mounted at .*, which is not below/,
    ],
    "has it in the other version of cgroups alone": [
      [linux, `--isolation=${existsSync("/sys/fs/cgroup/memory") ? "cgroups/io" : "cgroups/blkio"}`],
      /'cgroups\/(io|blkio)': cgroup v\d has it alone, .*: name cgroups\/(blkio|io) instead/,
    ],
    "has no device that it is to allow": [
      [
        linux,
        "--isolation=cgroups/devices",
        '--allowed_devices={"allowed_devices":[{"device":{"path":"/dev/none"},"access":{"read":true}}]}',
      ],
      /'cgroups\/devices' needs the device '\/dev\/none' of --allowed_devices, which cannot be found/,
    ],
    "has another launcher": [
      ["--launcher=posix", "--isolation=filesystem/linux,namespaces/pid"],
      /needs the launcher 'linux'.*--launcher=linux/,
    ],
    "lacks an isolator that another needs": [
      [linux, "--isolation=namespaces/pid"],
      /'namespaces\/pid' needs the isolator 'filesystem\/linux': add it to --isolation/,
    ],
    "has no profiles of system calls": [
      [linux, "--isolation=linux/seccomp"],
      /'linux\/seccomp' needs a directory of profiles: give it with --seccomp_config_dir/,
    ],
    "has no GPUs to give": [
      [
        linux,
        "--isolation=filesystem/linux,cgroups/devices,gpu/nvidia",
        "--nvidia_gpu_devices=0",
        "--resources=gpus:1",
      ],
      /gpu\/nvidia.*no NVIDIA driver: install it/,
    ],
    "gives GPUs without control over devices": [
      [linux, "--isolation=filesystem/linux,gpu/nvidia"],
      /'gpu\/nvidia' needs the isolator 'cgroups\/devices': add it to --isolation/,
    ],
    "has no quotas on its disk": [["--isolation=disk/xfs"], /'disk\/xfs' needs .*(mkfs\.xfs|-o prjquota)/],
  };
  for (const [kind, [flags, line]] of Object.entries(cases)) {
    it(`stops with one line when it ${kind}`, async () => {
      const own = flags.map((flag) => flag.replace("DIRECTORY", directory));
      expectLine(await start(own), line);
    });
  }

  for (const isolation of [
    "cgroups/cpu",
    "filesystem/linux",
    "linux/capabilities",
    "network/cni",
    "disk/xfs",
  ])
    it(`stops with one line when '${isolation}' lacks root`, async function () {
      requirePart(this, "setpriv", "util-linux");
      const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
      expectLine(
        await start(
          [`--isolation=${isolation}`, "--launcher=posix", `--network_cni_config_dir=${directory}`],
          nobody,
        ),
        /root/,
      );
    });

  it("stops with one line when the linux launcher lacks root", async function () {
    requirePart(this, "setpriv", "util-linux");
    expectLine(await start([linux], ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]), /root/);
  });
});
