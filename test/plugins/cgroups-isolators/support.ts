import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { config as schema } from "../../../plugins/cgroups-isolators/config.js";
import { CgroupsFamily } from "../../../plugins/cgroups-isolators/family.js";
import { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import type { TaskInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { type CgroupHost, type Controller, openCgroups } from "../../../sdk/node-cgroup/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { PATIENCE } from "../../support/eventually.js";
import { requireThat } from "../../support/require-part.js";
import { ContainerizerBench } from "../mesos-containerizer/support.js";

/** For tests on real control groups. */
export async function requireCgroups(test: Context, controllers: readonly Controller[]): Promise<void> {
  requireThat(test, process.geteuid?.() === 0, "cgroups need root");
  const host = await openCgroups();
  for (const controller of controllers) {
    const lack = host.lack(controller);
    requireThat(test, lack === undefined, lack ?? "");
  }
  await host.close();
}

let benches = 0;

/** The launchers that an agent may have. */
export const LAUNCHERS = ["posix", "linux"] as const;

export interface BenchOptions {
  readonly root?: string;
  readonly directory?: string;
  /** Other isolators, which come first. */
  readonly others?: readonly Isolator[];
  readonly launcher?: (typeof LAUNCHERS)[number];
}

/** An agent's containerizer with isolators of this family, below a cgroup root of its own. */
export class CgroupsBench {
  readonly logger = new MemoryLogger();
  private count = 0;

  private constructor(
    readonly root: string,
    readonly family: CgroupsFamily,
    readonly bench: ContainerizerBench,
    readonly host: CgroupHost,
    private readonly options: BenchOptions,
  ) {}

  static async open(flags: Record<string, unknown>, options: BenchOptions = {}): Promise<CgroupsBench> {
    const root = options.root ?? `tepui-cgroups-${process.pid}-${benches++}`;
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "tepui-cgroups-")));
    const family = makeFamily({ ...flags, cgroups_root: root }, directory);
    try {
      await family.start();
    } catch (error) {
      await cleanUp(root, directory);
      throw error;
    }
    const isolators = [...(options.others ?? []), ...family.isolators];
    const launcher =
      options.launcher === "linux"
        ? new LinuxLauncher({
            hierarchy: "/sys/fs/cgroup",
            root,
            destroyTimeoutMs: 15_000 * PATIENCE,
            logger: new MemoryLogger(),
          })
        : undefined;
    const bench = await ContainerizerBench.open({ directory, isolators, ...(launcher && { launcher }) });
    return new CgroupsBench(root, family, bench, await openCgroups(), { ...options, root, directory });
  }

  /** As an agent that took the place of this one, which is not closed: as if it had been killed. */
  async again(flags: Record<string, unknown>): Promise<CgroupsBench> {
    return CgroupsBench.open(flags, this.options);
  }

  get containerizer() {
    return this.bench.containerizer;
  }

  /** A command task with these resources. */
  async request(
    script: string,
    {
      resources = "cpus:0.1;mem:32",
      ...more
    }: Partial<Omit<ContainerRequest, "resources">> & { resources?: string } = {},
  ): Promise<ContainerRequest> {
    const id = `${process.pid}-${this.count++}`;
    return this.bench.request(script, {
      containerId: { value: id },
      task: { name: id, task_id: { value: id } } as TaskInfo,
      resources: resourcesOf(resources),
      ...more,
    });
  }

  async launch(...args: Parameters<CgroupsBench["request"]>): Promise<string> {
    const request = await this.request(...args);
    await this.containerizer.launch(request);
    return request.containerId.value!;
  }

  async end(id: string): Promise<void> {
    await this.containerizer.destroy({ value: id });
  }

  group(id: string, controllers: readonly Controller[]) {
    return this.host.group(`${this.root}/${id}`, controllers);
  }

  /** Ends every container, and fails when a cgroup is left. */
  async close(): Promise<void> {
    for (const id of this.containerizer.containers()) await this.containerizer.destroy(id);
    await this.abandon();
    const left = this.host.list(this.root);
    await this.host.close();
    await cleanUp(this.root, this.bench.directory);
    if (left.length > 0) throw new Error(`left: ${left.join(", ")}`);
  }

  /** Ends what runs in this process, and leaves containers and cgroups, as an agent does that is killed. */
  async abandon(): Promise<void> {
    for (const isolator of this.family.isolators)
      Object.assign(isolator, { cleanup: () => new Promise(() => undefined) });
    Object.assign(this.bench.launcher, { destroy: () => new Promise(() => undefined) });
    await this.family.stop();
    await this.bench.launcher.stop();
  }
}

export function makeFamily(
  flags: Record<string, unknown>,
  directory: string,
  logger = new MemoryLogger(),
): CgroupsFamily {
  const config = schema.parse({ work_dir: directory, runtime_dir: join(directory, "run"), ...flags });
  return new CgroupsFamily({ config, clock: new SystemClock(), logger });
}

async function cleanUp(root: string, directory: string): Promise<void> {
  const host = await openCgroups();
  await removeRoot(host, root);
  await host.close();
  await rm(directory, { recursive: true, force: true });
}

export async function removeRoot(host: CgroupHost, root: string): Promise<void> {
  for (const controller of host.controllers) await host.group(root, [controller]).destroy();
}

/** `cpus:1;mem:32` */
export function resourcesOf(text: string): Resources {
  return Resources.of(
    text.split(";").map((pair) => {
      const [name, value] = pair.split(":");
      const revocable = name!.endsWith("!") ? { revocable: {} } : {};
      return {
        name: name!.replace("!", ""),
        type: 0,
        scalar: { value: Number(value) },
        reservations: [],
        role: "*",
        ...revocable,
      };
    }),
  );
}

/** Takes `megabytes` of memory, makes the file `taken` in the sandbox, and waits. */
export const takeMemory = (megabytes: number): string =>
  // The amount is in a variable, or Perl would reckon it as it compiles and hold it twice.
  `exec perl -e '$n = ${megabytes}; $x = "x" x ($n << 20); open($f, ">", "taken"); sleep 1000'`;
