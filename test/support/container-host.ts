import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Context } from "mocha";
import {
  type ContainerInfo,
  ContainerInfo_Type,
  type FrameworkInfo,
  Image_Type,
  type TaskInfo,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { isTerminal } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster } from "./cluster.js";
import type { Daemon } from "./daemons.js";
import { endCgroups } from "./end-cgroups.js";
import { buildImage, buildLayer, busyboxEntries, dockerArchive } from "./image-builder.js";
import { programFiles } from "./program-files.js";
import { requirePart, requireThat } from "./require-part.js";
import { Runner, sandboxOf } from "./runner.js";
import { historyOf } from "./status-text.js";
import type { ArchiveEntry } from "./tar-archive.js";
import { until } from "./until.js";

/** What this version has to keep a container to itself. */
export const FULL_ISOLATION = [
  "filesystem/linux",
  "docker/runtime",
  "volume/secret",
  "namespaces/pid",
  "namespaces/ipc",
  "cgroups/cpu",
  "cgroups/mem",
  "cgroups/devices",
  "cgroups/pids",
  "linux/capabilities",
  "linux/nnp",
  "linux/seccomp",
  "posix/rlimits",
];

/** What Docker leaves to its containers. */
const CAPABILITIES = [
  ...["CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP"],
  ...["SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"],
];

/** A profile of Docker's form: all is allowed but what only administrators of the host need, or attackers. */
const SECCOMP_PROFILE = {
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_AARCH64"],
  syscalls: [
    {
      names: ["add_key", "bpf", "keyctl", "kexec_load", "perf_event_open", "request_key", "userfaultfd"],
      action: "SCMP_ACT_ERRNO",
    },
    { names: ["unshare", "setns"], action: "SCMP_ACT_ERRNO", excludes: { caps: ["CAP_SYS_ADMIN"] } },
  ],
};

export interface HostOptions {
  readonly isolation?: readonly string[];
  readonly flags?: readonly string[];
  /** Put into the image, beside busybox and perl. */
  readonly entries?: readonly ArchiveEntry[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Changes to the agent's manifest, in JSON. */
  readonly plugins?: readonly object[];
  readonly framework?: Pick<FrameworkInfo, "capabilities">;
}

export interface Outcome {
  readonly status: TaskStatus;
  readonly stdout: string;
  readonly stderr: string;
}

let count = 0;

/** A real master and a real agent whose containers are isolated in full, with an image `box` of busybox and perl. */
export class ContainerHost {
  agent: Daemon;

  private constructor(
    readonly cluster: Cluster,
    readonly runner: Runner,
    readonly cgroupRoot: string,
    private readonly directory: string,
  ) {
    this.agent = cluster.agents[0]!;
  }

  static async open(test: Context, options: HostOptions = {}): Promise<ContainerHost> {
    requireThat(test, process.geteuid?.() === 0, "containers of their own need root");
    const busybox = requirePart(test, "busybox", "busybox-static");
    requirePart(test, "perl", "perl-base");
    const directory = await mkdtemp(join(tmpdir(), "tepui-host-"));
    const cgroupRoot = `tepui-host-${process.pid}-${count++}`;
    try {
      const images = join(directory, "images");
      const profiles = join(directory, "seccomp");
      for (const made of [images, profiles]) await mkdir(made);
      await writeFile(join(profiles, "default.json"), JSON.stringify(SECCOMP_PROFILE));
      await writeFile(join(images, "box.tar"), await boxArchive(busybox, options));
      const manifest = { target: "agent", extends: "agent", plugins: options.plugins ?? [] };
      await writeFile(join(directory, "agent.json"), JSON.stringify(manifest));
      const cluster = await startCluster({
        agentFlags: [
          "--launcher=linux",
          `--isolation=${(options.isolation ?? FULL_ISOLATION).join(",")}`,
          `--manifest=${join(directory, "agent.json")}`,
          `--cgroups_root=${cgroupRoot}`,
          "--image_providers=docker",
          `--docker_registry=${images}`,
          `--docker_store_dir=${join(directory, "store")}`,
          `--seccomp_config_dir=${profiles}`,
          "--seccomp_profile_name=default.json",
          `--bounding_capabilities=${JSON.stringify({ capabilities: CAPABILITIES })}`,
          `--effective_capabilities=${JSON.stringify({ capabilities: CAPABILITIES })}`,
          "--executor_shutdown_grace_period=1secs",
          ...(options.flags ?? []),
        ],
      });
      const runner = new Runner(cluster, options.framework);
      await runner.start();
      return new ContainerHost(cluster, runner, cgroupRoot, directory);
    } catch (error) {
      await endCgroups(cgroupRoot);
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.runner.stop();
    await this.agent.stop();
    await this.cluster.stop();
    await endCgroups(this.cgroupRoot);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }

  /** Runs a shell script as a task, to its end. */
  async run(script: string, more: Partial<TaskInfo> = {}): Promise<Outcome> {
    const name = `task-${count++}`;
    this.runner.run(name, { value: script }, more);
    return this.outcome(name);
  }

  async outcome(name: string): Promise<Outcome> {
    await until(() => isTerminal(this.runner.last(name)?.state), {
      what: `'${name}' to end`,
      seen: () => historyOf(this.runner.updates, name).join(", ") || "no status",
    });
    const sandbox = await sandboxOf(this.agent, name);
    const text = (file: string): Promise<string> => readFile(join(sandbox, file), "utf8").catch(() => "");
    return { status: this.runner.last(name)!, stdout: await text("stdout"), stderr: await text("stderr") };
  }

  /** The container of a running executor. */
  async containerId(executor: string): Promise<string> {
    const { frameworks } = (await getJson(this.agent, "/state")) as {
      frameworks: { executors: { id: string; container: string }[] }[];
    };
    const found = frameworks.flatMap(({ executors }) => executors).find(({ id }) => id === executor);
    if (found === undefined) throw new Error(`no executor '${executor}' runs`);
    return found.container;
  }

  /** Ends the agent with SIGKILL, and starts it again. */
  async kill(): Promise<void> {
    await this.agent.kill();
    this.agent = await this.agent.restart();
  }

  /** Directories of the containers' control groups, in all hierarchies. */
  async groups(): Promise<string[]> {
    const found: string[] = [];
    for (const hierarchy of await readdir("/sys/fs/cgroup")) {
      const root = join("/sys/fs/cgroup", hierarchy, this.cgroupRoot);
      const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) if (entry.isDirectory()) found.push(join(root, entry.name));
    }
    return found;
  }

  async workDirectory(): Promise<string> {
    const { flags } = (await getJson(this.agent, "/flags")) as { flags: { work_dir: string } };
    return flags.work_dir;
  }
}

/** A container made of the image. */
export const boxed = (more: Partial<ContainerInfo> = {}): Partial<TaskInfo> => ({
  container: {
    type: ContainerInfo_Type.MESOS,
    mesos: { image: { type: Image_Type.DOCKER, docker: { name: "box" } } },
    volumes: [],
    network_infos: [],
    ...more,
  },
});

async function boxArchive(
  busybox: string,
  { entries: more = [], labels = {} }: HostOptions,
): Promise<Buffer> {
  const entries = await busyboxEntries(busybox);
  for (const [path, from] of await programFiles("perl"))
    entries.push({ name: path.slice(1), mode: 0o755, content: await readFile(from) });
  const image = buildImage([buildLayer([...entries, ...more])], {
    Env: ["PATH=/usr/bin:/bin"],
    Labels: labels,
  });
  return dockerArchive(image, "box:latest");
}

/** A program that belongs to root and runs as root, whoever starts it: prints its effective user. */
export async function setuidProgram(path: string): Promise<void> {
  const source = `${path}.c`;
  await writeFile(
    source,
    '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%d\\n", geteuid()); return 0; }\n',
  );
  await promisify(execFile)("gcc", ["-static", "-o", path, source]);
  await chmod(path, 0o4755);
}
