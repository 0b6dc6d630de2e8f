import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import type { ContainerExit } from "../../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../../sdk/contracts/contribution.js";
import type { LaunchedProcess, LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { type CgroupHost, openCgroups } from "../../../sdk/node-cgroup/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { type BusyboxRootfs, busyboxRootfs } from "../../support/busybox-rootfs.js";
import { PATIENCE } from "../../support/eventually.js";
import { requirePart, requireThat } from "../../support/require-part.js";

/** With output in files. */
export type FilePlan = LaunchPlan & { readonly stdout: string; readonly stderr: string };

export interface Finished {
  readonly plan: FilePlan;
  readonly exit: ContainerExit | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

let count = 0;

/** A linux launcher with a control group, a directory and a root file system of its own. */
export class LinuxBench {
  /** Name of the control group that containers are made in. */
  readonly root = `tepui-launcher-${process.pid}-${count++}`;
  readonly logger = new MemoryLogger();
  private readonly launchers: LinuxLauncher[] = [];
  private readonly ids = new Set<string>();

  private constructor(
    readonly directory: string,
    readonly rootfs: BusyboxRootfs,
    readonly cgroups: CgroupHost,
  ) {}

  static async open(test: Context): Promise<LinuxBench> {
    requireThat(test, process.geteuid?.() === 0, "the linux launcher needs root");
    requirePart(test, "perl", "perl-base");
    const cgroups = await openCgroups();
    requireThat(test, cgroups.lack("freezer") === undefined, "there is no freezer and no cgroup v2");
    const directory = await mkdtemp(join(tmpdir(), "tepui-launcher-"));
    await chmod(directory, 0o755);
    return new LinuxBench(directory, await busyboxRootfs(test), cgroups);
  }

  async launcher(program?: string): Promise<LinuxLauncher> {
    const launcher = new LinuxLauncher({
      hierarchy: this.cgroups.hierarchy,
      root: this.root,
      destroyTimeoutMs: 15_000 * PATIENCE,
      logger: this.logger,
      ...(program && { program }),
    });
    await launcher.start();
    this.launchers.push(launcher);
    return launcher;
  }

  /** Ends whatever is left, and takes everything away. */
  async close(): Promise<void> {
    const destroyed = await Promise.allSettled(
      this.launchers.flatMap((launcher) => [...this.ids].map((id) => launcher.destroy(id))),
    );
    for (const launcher of this.launchers) await launcher.stop();
    const left = this.cgroups.group(this.root, ["freezer"]);
    await left.kill();
    await left.destroy();
    await this.cgroups.close();
    await this.rootfs.remove();
    await rm(this.directory, { recursive: true, force: true });
    const failed = destroyed.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  plan(argv: readonly string[], more: Partial<FilePlan> = {}): FilePlan {
    const containerId = `c${count++}`;
    this.ids.add(containerId);
    return {
      containerId,
      argv,
      environment: { PATH: "/bin:/usr/bin" },
      workingDirectory: more.contribution?.rootfs === undefined ? this.directory : "/",
      sandbox: this.directory,
      user: undefined,
      stdout: join(this.directory, `${containerId}.out`),
      stderr: join(this.directory, `${containerId}.err`),
      record: join(this.directory, `${containerId}.record`),
      contribution: {},
      outlivesAgent: true,
      ...more,
    };
  }

  /** Everything that an image asks for: namespaces, the root file system, `/proc`. */
  inRootfs(more: Contribution = {}): Contribution {
    return {
      ...more,
      namespaces: ["mount", "pid", ...(more.namespaces ?? [])],
      rootfs: more.rootfs ?? { path: this.rootfs.path, mounts: [] },
      mounts: [{ source: "proc", target: "/proc", type: "proc" }, ...(more.mounts ?? [])],
    };
  }

  group(containerId: string) {
    return this.cgroups.group(join(this.root, containerId), ["freezer"]);
  }

  /** Names of the containers that have a control group. */
  groups(): string[] {
    return this.cgroups.list(this.root, { depth: 1 });
  }
}

/** Runs to the end, and takes the container away. */
export async function finish(launcher: LinuxLauncher, plan: FilePlan): Promise<Finished> {
  const container = await launcher.launch(plan);
  await container.go();
  const exit = await container.exited;
  await launcher.destroy(plan.containerId);
  return { plan, exit, stdout: await text(plan.stdout), stderr: await text(plan.stderr) };
}

/** Why a container could not be started; it is taken away again. */
export async function failure(launcher: LinuxLauncher, plan: FilePlan): Promise<string> {
  const problem = await launcher
    .launch(plan)
    .then((container: LaunchedProcess) => container.go().then(() => "it ran", String), String);
  await launcher.destroy(plan.containerId);
  return problem;
}

export const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** Processes of this host that have this variable in their environment. */
export function marked(variable: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(variable);
      } catch {
        return false;
      }
    })
    .map(Number);
}
