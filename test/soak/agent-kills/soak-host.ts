import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DockerBench } from "../../plugins/docker-containerizer/support.js";
import { endCgroups } from "../../support/end-cgroups.js";
import { buildImage, buildLayer, busyboxEntries, dockerArchive } from "../../support/image-builder.js";
import { requirePart, requireThat, type Skippable } from "../../support/require-part.js";
import { processesOf } from "../remains.js";
import { BOX_IMAGE } from "./command-tasks.js";
import type { KindName } from "./task-kinds.js";

export interface SoakHostOptions {
  readonly launcher: "linux" | "posix";
  readonly kinds: readonly KindName[];
}

const ISOLATION = [
  ...["filesystem/linux", "docker/runtime", "namespaces/pid", "namespaces/ipc", "posix/rlimits"],
  ...["cgroups/cpu", "cgroups/mem", "cgroups/devices", "cgroups/pids"],
];

let hosts = 0;

/** What tasks of these kinds need in addition to an agent: images, a Docker engine, and cgroups and marks of their own. */
export class SoakHost {
  /** Identifies the cgroups and the processes of all tasks. */
  readonly tag = `soak-${process.pid}-${hosts++}`;
  private docker: DockerBench | undefined;

  private constructor(
    private readonly options: SoakHostOptions,
    private readonly directory: string,
  ) {}

  static async open(options: SoakHostOptions, test: Skippable): Promise<SoakHost> {
    const host = new SoakHost(options, await mkdtemp(join(tmpdir(), "tepui-soak-")));
    try {
      await host.open(test);
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  private async open(test: Skippable): Promise<void> {
    const { launcher, kinds } = this.options;
    await mkdir(this.marks);
    await mkdir(this.images);
    if (launcher === "linux")
      requireThat(test, process.geteuid?.() === 0, "containers of their own need root");
    if (kinds.includes("boxed")) {
      const busybox = requirePart(test, "busybox", "busybox-static");
      const image = buildImage([buildLayer(await busyboxEntries(busybox))], { Env: ["PATH=/bin"] });
      await writeFile(join(this.images, `${BOX_IMAGE}.tar`), dockerArchive(image, `${BOX_IMAGE}:latest`));
    }
    if (kinds.includes("docker")) this.docker = await DockerBench.start(test);
  }

  /** The directory in which each task notes that it ran. */
  get marks(): string {
    return join(this.directory, "marks");
  }

  private get images(): string {
    return join(this.directory, "images");
  }

  get cgroupRoot(): string | undefined {
    return this.options.launcher === "linux" ? this.tag : undefined;
  }

  agentFlags(): string[] {
    const { launcher } = this.options;
    return [
      `--launcher=${launcher}`,
      // Executors that come back may be slow: this is the longest time that Mesos allows.
      "--executor_reregistration_timeout=15secs",
      ...(launcher === "linux" ? [`--isolation=${ISOLATION.join(",")}`, `--cgroups_root=${this.tag}`] : []),
      "--image_providers=docker",
      `--docker_registry=${this.images}`,
      `--docker_store_dir=${join(this.directory, "store")}`,
      ...(this.docker === undefined
        ? []
        : [
            "--containerizers=docker,mesos",
            `--docker_socket=${this.docker.daemon.socket}`,
            "--docker_remove_delay=0ns",
          ]),
    ];
  }

  /** Containers of the Docker engine. */
  async engineContainers(): Promise<string[]> {
    return Object.keys((await this.docker?.listed()) ?? {});
  }

  /** Called when the agent is gone. */
  async close(): Promise<void> {
    for (const pid of processesOf(this.tag)) process.kill(pid, "SIGKILL");
    await this.docker?.stop();
    await endCgroups(this.tag);
    await rm(this.directory, { recursive: true, force: true });
  }
}
