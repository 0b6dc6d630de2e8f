import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
let count = 0;

/** What a bare spawn costs, in milliseconds from spawn to exit of `sh -c true`: nothing that ends containers can be faster. */
export function plainSpawn(): Promise<number> {
  return timed(() => spawn("sh", ["-c", "true"], { stdio: "ignore" }));
}

/** With pid, mount and ipc namespaces by unshare(1), and groups of every v1 controller made, joined and removed. */
export async function isolatedSpawn(): Promise<number> {
  const hierarchies = v1Hierarchies();
  const name = `bench-floor-${process.pid}-${count++}`;
  const began = performance.now();
  const groups = hierarchies.map(({ path, controllers }) => {
    const group = join(path, name);
    mkdirSync(group);
    if (controllers.includes("cpuset")) {
      for (const file of ["cpuset.cpus", "cpuset.mems"])
        writeFileSync(join(group, file), readFileSync(join(path, file)));
    }
    if (controllers.includes("cpu")) writeFileSync(join(group, "cpu.shares"), "102");
    if (controllers.includes("memory")) writeFileSync(join(group, "memory.limit_in_bytes"), "33554432");
    return group;
  });
  const script = 'read x <&3; exec 3<&-; exec "$@"';
  const isolate = [
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount",
    "--ipc",
    "--mount-proc",
    "sh",
    "-c",
    "true",
  ];
  const child = spawn("sh", ["-c", script, "sh", ...isolate], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  for (const group of groups) writeFileSync(join(group, "cgroup.procs"), String(child.pid));
  (child.stdio[3] as NodeJS.WritableStream).end("go\n");
  await new Promise((resolve) => child.once("exit", resolve));
  for (const group of groups) removeSoon(group);
  return performance.now() - began;
}

/** A group stays busy until its last process is reaped. */
function removeSoon(group: string): void {
  for (let tries = 0; ; tries++) {
    try {
      rmdirSync(group);
      return;
    } catch (error) {
      if (tries > 10_000) throw error;
    }
  }
}

async function timed(start: () => ReturnType<typeof spawn>): Promise<number> {
  const began = performance.now();
  const child = start();
  await new Promise((resolve) => child.once("exit", resolve));
  return performance.now() - began;
}

function v1Hierarchies(): { path: string; controllers: readonly string[] }[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, path, type]) => type === "cgroup" && path?.startsWith(`${ROOT}/`))
    .map(([, path, , options]) => ({ path: path!, controllers: options!.split(",") }))
    .filter(({ controllers }) => !controllers.some((option) => option.startsWith("name=")));
}
