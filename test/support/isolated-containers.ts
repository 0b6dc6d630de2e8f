import { chmod, chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { createTestKernel, override, type TestKernel } from "../../core/testing/index.js";
import cgroupsIsolators from "../../plugins/cgroups-isolators/index.js";
import filesystemIsolators from "../../plugins/filesystem-isolators/index.js";
import { LinuxLauncher } from "../../plugins/launchers/linux/linux-launcher.js";
import { MesosContainerizer } from "../../plugins/mesos-containerizer/containerizer.js";
import namespaceIsolators from "../../plugins/namespace-isolators/index.js";
import { SandboxLogger } from "../../plugins/sandbox-logger/sandbox-logger.js";
import secretResolver from "../../plugins/secret-resolver/index.js";
import volumeIsolators from "../../plugins/volume-isolators/index.js";
import {
  type ContainerInfo,
  ContainerInfo_Type,
  Image_Type,
  type LinuxInfo,
  type Volume,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, ContainerTermination } from "../../sdk/contracts/containerizer.js";
import { type ProvisionedImage, Provisioner } from "../../sdk/contracts/image.js";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { Launcher } from "../../sdk/contracts/launcher.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { accountOf } from "../../sdk/proc/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { type BusyboxRootfs, busyboxRootfs } from "./busybox-rootfs.js";
import { containerRequest } from "./container-request.js";
import { endCgroups } from "./end-cgroups.js";
import { requirePart, requireThat } from "./require-part.js";

export interface IsolatedOptions {
  /** Value of `--isolation`. */
  readonly isolation: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface Ran {
  readonly end: ContainerTermination;
  readonly stdout: string;
  readonly stderr: string;
}

let count = 0;

/** Image of every name: one layer, that of busybox, and a layer of the container's own over it. */
class BusyboxProvisioner implements Provisioner {
  private made = 0;

  constructor(
    private readonly directory: string,
    private readonly lower: string,
  ) {}

  async provision(containerId: string): Promise<ProvisionedImage> {
    const own = join(this.directory, containerId, String(this.made++));
    const [upper, work, path] = ["upper", "work", "rootfs"].map((name) => join(own, name));
    for (const each of [upper!, work!, path!]) await mkdir(each, { recursive: true });
    const options = [`lowerdir=${this.lower}`, `upperdir=${upper}`, `workdir=${work}`];
    return {
      rootfs: {
        path: path!,
        mounts: [{ source: "overlay", target: path!, type: "overlay", options }],
      },
      config: {
        environment: {},
        entrypoint: [],
        command: [],
        workingDirectory: undefined,
        user: undefined,
        labels: {},
        stopSignal: undefined,
      },
    };
  }

  async destroy(containerId: string): Promise<void> {
    await rm(join(this.directory, containerId), { recursive: true, force: true });
  }

  async recover(): Promise<void> {}

  async prune(): Promise<void> {}
}

/** Containers of the real launcher, made of the real isolators of files and namespaces, in a directory of their own. */
export class IsolatedContainers {
  private readonly ids: string[] = [];

  private constructor(
    readonly directory: string,
    readonly containerizer: MesosContainerizer,
    readonly kernel: TestKernel,
    readonly logger: MemoryLogger,
    private readonly parts: {
      readonly launcher: LinuxLauncher;
      readonly cgroupRoot: string;
      readonly rootfs: BusyboxRootfs;
    },
  ) {}

  static async open(
    test: Context,
    { isolation, settings = {} }: IsolatedOptions,
  ): Promise<IsolatedContainers> {
    requireThat(test, process.geteuid?.() === 0, "containers of their own need root");
    requirePart(test, "perl", "perl-base");
    const rootfs = await busyboxRootfs(test);
    const directory = await mkdtemp(join(tmpdir(), "tepui-isolated-"));
    // The users of containers go through it.
    await chmod(directory, 0o755);
    const cgroupRoot = `tepui-isolated-${process.pid}-${count++}`;
    const logger = new MemoryLogger();
    const launcher = new LinuxLauncher({
      hierarchy: "/sys/fs/cgroup",
      root: cgroupRoot,
      destroyTimeoutMs: 10_000,
      logger,
    });
    await launcher.start();
    const provisioner = new BusyboxProvisioner(join(directory, "provisioned"), rootfs.path);
    const kernel = await createTestKernel({
      plugins: [secretResolver, filesystemIsolators, volumeIsolators, namespaceIsolators, cgroupsIsolators],
      target: "agent",
      settings: {
        isolation,
        work_dir: join(directory, "work"),
        runtime_dir: join(directory, "run"),
        cgroups_root: cgroupRoot,
        docker_volume_checkpoint_dir: join(directory, "docker-volumes"),
        ...settings,
      },
      overrides: [override(Launcher, launcher), override(Provisioner, provisioner)],
    }).catch(async (error: unknown) => {
      await launcher.stop();
      await endCgroups(cgroupRoot);
      await rootfs.remove();
      await rm(directory, { recursive: true, force: true });
      throw error;
    });
    const clock = new SystemClock();
    const containerizer = new MesosContainerizer({
      isolators: kernel.kernel.getAll(Isolator),
      launcher,
      containerLogger: new SandboxLogger(),
      sandboxFetch: { fetch: async () => undefined },
      provisioner,
      recordsDirectory: join(directory, "records"),
      destroyErrors: new MetricsRegistry(clock).counter("destroyErrors"),
      clock,
      logger,
    });
    await containerizer.prepareDirectories();
    const parts = { launcher, cgroupRoot, rootfs };
    return new IsolatedContainers(directory, containerizer, kernel, logger, parts);
  }

  /** Ends whatever is left, and takes everything away. */
  async close(): Promise<void> {
    for (const value of this.ids) await this.containerizer.destroy({ value });
    await this.kernel.stop();
    await this.parts.launcher.stop();
    await endCgroups(this.parts.cgroupRoot);
    await this.parts.rootfs.remove();
    await rm(this.directory, { recursive: true, force: true });
  }

  get cgroupRoot(): string {
    return this.parts.cgroupRoot;
  }

  /** Below the agent's work directory, which exists from then on. */
  work(...path: string[]): string {
    return join(this.directory, "work", ...path);
  }

  /** As an agent would ask, for a container of `sh -c script`; the sandbox belongs to the user. */
  async request(script: string, more: Partial<ContainerRequest> = {}): Promise<ContainerRequest> {
    const id = `c${process.pid}-${count++}`;
    this.ids.push(id);
    const place = { id, sandboxes: join(this.directory, "sandboxes") };
    const request = await containerRequest(place, script, more);
    const account = more.user === undefined ? undefined : await accountOf(more.user);
    if (account !== undefined) await chown(join(place.sandboxes, id), account.uid, account.gid);
    return request;
  }

  /** From its launch to its end. */
  async run(request: ContainerRequest): Promise<Ran> {
    await this.containerizer.launch(request);
    return this.finish(request);
  }

  async finish(request: ContainerRequest): Promise<Ran> {
    const end = await this.containerizer.wait(request.containerId);
    await this.containerizer.destroy(request.containerId);
    const text = (name: string): Promise<string> =>
      readFile(join(request.directory, name), "utf8").catch(() => "");
    return { end: end!, stdout: await text("stdout"), stderr: await text("stderr") };
  }

  /** Output of a script that must succeed. */
  async output(script: string, more: Partial<ContainerRequest> = {}): Promise<string> {
    const { end, stdout, stderr } = await this.run(await this.request(script, more));
    if (end.exit?.code !== 0)
      throw new Error(`'${script}' ended with ${JSON.stringify(end)}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Why a container is not launched. */
  async refusal(more: Partial<ContainerRequest>): Promise<string> {
    const request = await this.request("true", more);
    return this.containerizer.launch(request).then(() => "it ran", String);
  }
}

/** A container of type MESOS. */
export const container = (
  options: { image?: boolean; volumes?: readonly Volume[]; linux?: LinuxInfo } = {},
): ContainerInfo => ({
  type: ContainerInfo_Type.MESOS,
  ...(options.image === true && {
    mesos: { image: { type: Image_Type.DOCKER, docker: { name: "busybox" } } },
  }),
  ...(options.linux && { linux_info: options.linux }),
  volumes: [...(options.volumes ?? [])],
  network_infos: [],
});
