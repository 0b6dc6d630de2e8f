/**
 * `npm run bench -- launchers [--rounds=100]`: what starting one container of `sh -c true` costs, from the call to its recorded end, and until
 * nothing is left of it; ways to do it side by side, in turns. Needs root, crun and runc.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { LinuxLauncher } from "../../plugins/launchers/linux/linux-launcher.js";
import { PERL_HELPER } from "../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../plugins/launchers/posix/posix-command.js";
import { ShimLauncher } from "../../plugins/launchers/shim/shim-launcher.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Launcher } from "../../sdk/contracts/launcher.js";
import { type Controller, openCgroups } from "../../sdk/node-cgroup/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { fillBusyboxRootfs } from "../support/busybox-rootfs.js";
import { isolatedSpawn, plainSpawn } from "./floors.js";
import { milliseconds, percentile } from "./statistics.js";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "100" } } });
const ROUNDS = Number(values.rounds);
const ROOT = `bench-launchers-${process.pid}`;
const CONTROLLERS: readonly Controller[] = ["cpu", "cpuacct", "cpuset", "memory", "devices", "pids", "io"];

// crun refuses hosts that have both versions of cgroups mounted: for all of them alike, there is one.
if (process.env.BENCH_ALONE !== "1") {
  const script = 'umount /sys/fs/cgroup/unified 2>/dev/null; BENCH_ALONE=1 exec "$0" "$@"';
  const words = ["-m", "sh", "-c", script, process.execPath, ...process.argv.slice(1)];
  process.exit(spawnSync("unshare", words, { stdio: "inherit" }).status ?? 1);
}

const directory = mkdtempSync(join(tmpdir(), "tepui-bench-"));
const rootfs = join(directory, "rootfs");
const cgroups = await openCgroups();
let count = 0;

const IMAGE: Contribution = {
  namespaces: ["pid", "mount", "ipc", "uts", "cgroup"],
  hostname: "bench",
  rootfs: { path: rootfs, mounts: [] },
  mounts: [
    { source: "proc", target: "/proc", type: "proc", options: ["nosuid", "noexec", "nodev"] },
    { source: "sysfs", target: "/sys", type: "sysfs", options: ["ro", "nosuid", "noexec", "nodev"] },
    { source: "tmpfs", target: "/dev", type: "tmpfs", options: ["nosuid", "mode=755"] },
    {
      source: "devpts",
      target: "/dev/pts",
      type: "devpts",
      options: ["newinstance", "ptmxmode=0666"],
      create: "directory",
    },
    { source: "tmpfs", target: "/dev/shm", type: "tmpfs", options: ["nosuid", "nodev"], create: "directory" },
    { source: directory, target: "/mnt/mesos/sandbox", create: "directory" },
  ],
  deviceNodes: [
    ["null", 3],
    ["zero", 5],
    ["full", 7],
    ["random", 8],
    ["urandom", 9],
  ].map(([name, minor]) => ({
    path: `/dev/${name}`,
    type: "c",
    major: 1,
    minor: Number(minor),
    mode: 0o666,
  })),
  symlinks: { "/dev/fd": "/proc/self/fd", "/dev/ptmx": "pts/ptmx" },
  maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
  readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
  capabilities: { effective: ["CHOWN", "KILL", "SETUID", "SETGID", "NET_BIND_SERVICE"] },
  noNewPrivileges: true,
  rlimits: { nofile: { soft: 1024, hard: 4096 } },
  // Allow all.
  seccompFilter: Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]).toString("base64"),
};

interface Cost {
  readonly ended: number;
  readonly gone: number;
}

async function launched(
  launcher: Launcher,
  options: { contribution: Contribution; groups?: boolean; gated?: boolean },
): Promise<Cost> {
  const containerId = `b${count++}`;
  const began = performance.now();
  const group = options.groups === true ? cgroups.group(join(ROOT, containerId), CONTROLLERS) : undefined;
  group?.create();
  if (group !== undefined) {
    group.cpu.setShares(102);
    group.memory.setLimit(33_554_432);
  }
  const { contribution } = options;
  const process = await launcher.launch({
    containerId,
    argv: ["sh", "-c", "true"],
    environment: { PATH: "/bin:/usr/bin" },
    workingDirectory: contribution.rootfs === undefined ? directory : "/",
    sandbox: directory,
    user: undefined,
    stdout: join(directory, "stdout"),
    stderr: join(directory, "stderr"),
    record: join(directory, containerId),
    outlivesAgent: true,
    immediate: options.gated !== true,
    contribution: group === undefined ? contribution : { ...contribution, cgroups: group.directories },
  });
  await process.go();
  await process.exited;
  const ended = performance.now() - began;
  await launcher.destroy(containerId);
  await group?.destroy();
  const gone = performance.now() - began;
  await launcher.forget(join(directory, containerId));
  return { ended, gone };
}

function runtime(program: string): () => Promise<Cost> {
  const bundle = join(directory, program);
  mkdirSync(bundle);
  spawnSync(program, ["spec"], { cwd: bundle });
  const path = join(bundle, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8"));
  config.process.terminal = false;
  config.process.args = ["sh", "-c", "true"];
  config.root = { path: rootfs, readonly: false };
  config.linux.namespaces = ["pid", "mount", "ipc", "uts", "cgroup"].map((type) => ({ type }));
  config.linux.resources = { cpu: { shares: 102 }, memory: { limit: 33_554_432 }, pids: { limit: 100 } };
  writeFileSync(path, JSON.stringify(config));
  return async () => {
    const began = performance.now();
    const child = spawn(
      program,
      ["--root", join(directory, `${program}-state`), "run", "-b", bundle, `b${process.pid}-${count++}`],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    const code = await new Promise((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`${program} ended with ${code}`);
    const gone = performance.now() - began;
    return { ended: gone, gone };
  };
}

const once = (run: () => Promise<number>) => async (): Promise<Cost> => {
  const gone = await run();
  return { ended: gone, gone };
};

await (async () => {
  mkdirSync(rootfs);
  await fillBusyboxRootfs(rootfs, "/usr/bin/busybox");
  const logger = new MemoryLogger();
  const posix = new ShimLauncher({
    name: "posix",
    helpers: [["perl", "-e", PERL_HELPER]],
    logger,
    command: posixCommand,
  });
  const linux = new LinuxLauncher({
    hierarchy: cgroups.hierarchy,
    root: ROOT,
    destroyTimeoutMs: 10_000,
    logger,
  });
  await posix.start();
  await linux.start();
  const spaces: Contribution = {
    namespaces: ["pid", "mount", "ipc"],
    mounts: [{ source: "proc", target: "/proc", type: "proc" }],
  };
  const ways: Record<string, () => Promise<Cost>> = {
    "spawn of the command": once(plainSpawn),
    "posix launcher": () => launched(posix, { contribution: {} }),
    "posix launcher, gated": () => launched(posix, { contribution: {}, gated: true }),
    "linux launcher": () => launched(linux, { contribution: {} }),
    "linux launcher, gated, 8 groups": () => launched(linux, { contribution: {}, gated: true, groups: true }),
    "unshare, 8 groups (floor)": once(isolatedSpawn),
    "linux launcher, gated, pid+mount+ipc, 8 groups": () =>
      launched(linux, { contribution: spaces, gated: true, groups: true }),
    "linux launcher, gated, image, 8 groups": () =>
      launched(linux, { contribution: IMAGE, gated: true, groups: true }),
    "crun, image": runtime("crun"),
    "runc, image": runtime("runc"),
  };
  const costs = Object.fromEntries(Object.keys(ways).map((way) => [way, [] as Cost[]]));
  for (let round = -3; round < ROUNDS; round++) {
    for (const [way, run] of Object.entries(ways)) {
      const cost = await run();
      if (round >= 0) costs[way]!.push(cost);
    }
  }
  await posix.stop();
  await linux.stop();
  const median = (way: string, what: keyof Cost): number =>
    percentile(
      costs[way]!.map((cost) => cost[what]),
      0.5,
    );
  const floor = median("unshare, 8 groups (floor)", "ended");
  for (const way of Object.keys(ways)) {
    const ended = median(way, "ended");
    console.log(
      `${way.padEnd(50)} ended ${milliseconds(ended)}, gone ${milliseconds(median(way, "gone"))}, ${(ended / floor).toFixed(2)} x`,
    );
  }
})().finally(async () => {
  await cgroups.group(ROOT, ["freezer", ...CONTROLLERS]).destroy();
  await cgroups.close();
  rmSync(directory, { recursive: true, force: true });
});
process.exit();
