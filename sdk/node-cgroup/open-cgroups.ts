import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { Controller } from "./cgroup.js";
import { CgroupError, errnoOf } from "./cgroup-error.js";
import type { CgroupHost, CgroupHostOptions } from "./cgroup-host.js";
import { readControlIfAny } from "./control-file.js";
import { kernelName } from "./controllers.js";
import { type Findings, placeControllers } from "./findings.js";
import { Host } from "./host.js";
import { parseCgroupMounts, parseKernelControllers } from "./mount-table.js";

const run = promisify(execFile);

/**
 * Finds out which controllers this host has, and where.
 *
 * @throws CgroupError when one that is to be mounted cannot be
 */
export async function openCgroups(options: CgroupHostOptions = {}): Promise<CgroupHost> {
  const hierarchy = resolve(options.hierarchy ?? "/sys/fs/cgroup");
  let findings = await look(hierarchy, options);
  const lacking = (options.mount ?? []).filter((controller) => !findings.homes.has(controller));
  for (const controller of lacking) await mount(controller, findings);
  if (lacking.length > 0) findings = await look(hierarchy, options);
  return new Host(findings, options.leaf ?? "leaf");
}

async function look(hierarchy: string, options: CgroupHostOptions): Promise<Findings> {
  const [mounts, kernel] = await Promise.all([
    readFile(options.mountInfo ?? "/proc/self/mountinfo", "utf8"),
    // Absent from a kernel without any cgroups.
    readFile(options.kernelControllers ?? "/proc/cgroups", "utf8").catch((error) => {
      if (errnoOf(error) === "ENOENT") return "";
      throw error;
    }),
  ]);
  const found = parseCgroupMounts(mounts).map((each) =>
    each.version === 1
      ? each
      : {
          ...each,
          controllers: (readControlIfAny(join(each.mountPoint, "cgroup.controllers")) ?? "").split(" "),
        },
  );
  return placeControllers({ hierarchy, mounts: found, kernel: parseKernelControllers(kernel) });
}

async function mount(controller: Controller, findings: Findings): Promise<void> {
  const name = kernelName(controller, 1);
  const directory = join(findings.hierarchy, name);
  try {
    await mkdir(directory, { recursive: true });
    await run("mount", ["-t", "cgroup", "-o", name, name, directory]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new CgroupError(`cannot mount cgroup controller ${name} at ${directory}: ${reason}`, {
      file: directory,
      cause,
    });
  }
}
