import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  DockerContainerizer,
  type DockerContainerizerOptions,
} from "../../../plugins/docker-containerizer/containerizer.js";
import { Engine } from "../../../plugins/docker-containerizer/engine.js";
import {
  type CommandInfo,
  type ContainerInfo,
  type ContainerInfo_DockerInfo,
  ContainerInfo_Type,
  type ExecutorInfo,
  type TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";

import type { ContainerRequest, ContainerTermination } from "../../../sdk/contracts/containerizer.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { parseResources, type Resources } from "../../../sdk/resources/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { fillBusyboxRootfs } from "../../support/busybox-rootfs.js";
import {
  type DockerDaemon,
  type DockerDaemonOptions,
  startDockerDaemon,
} from "../../support/docker-daemon.js";
import { requirePart, type Skippable } from "../../support/require-part.js";

export const IMAGE = "tepui/busybox";

export interface Ask {
  /** A shell script; absent: what the image runs. */
  readonly script?: string;
  readonly command?: Partial<CommandInfo>;
  readonly docker?: Partial<ContainerInfo_DockerInfo>;
  readonly container?: Partial<ContainerInfo>;
  readonly task?: Partial<TaskInfo>;
  readonly resources?: string;
  readonly executor?: boolean;
  readonly environment?: Record<string, string>;
}

const SANDBOX = "/mnt/mesos/sandbox";

/** A Docker daemon with a small image, and agents' containerizers that use it. */
export class DockerBench {
  readonly clock = new SystemClock();
  private readonly open: DockerContainerizer[] = [];

  private constructor(readonly daemon: DockerDaemon) {}

  static async start(test: Skippable, options?: DockerDaemonOptions): Promise<DockerBench> {
    const busybox = requirePart(test, "busybox", "busybox-static");
    const daemon = await startDockerDaemon(test, options);
    try {
      const rootfs = join(daemon.directory, "rootfs");
      await mkdir(rootfs);
      await fillBusyboxRootfs(rootfs, busybox);
      await daemon.importImage(IMAGE, rootfs, [
        'CMD ["sh", "-c", "echo of the image"]',
        "ENV FROM_IMAGE=yes",
      ]);
    } catch (error) {
      await daemon.stop();
      throw error;
    }
    return new DockerBench(daemon);
  }

  async stop(): Promise<void> {
    await Promise.all(this.open.map((containerizer) => containerizer.close()));
    await this.daemon.stop();
  }

  /** One life of an agent's containerizer. */
  async containerizer(
    changes: Partial<DockerContainerizerOptions> & { readonly socket?: string } = {},
  ): Promise<DockerContainerizer & { readonly log: MemoryLogger }> {
    const { socket = this.daemon.socket, ...rest } = changes;
    const logger = new MemoryLogger();
    const options: DockerContainerizerOptions = {
      agent: "a1",
      workDir: join(this.daemon.directory, "work"),
      recordsDirectory: join(this.daemon.directory, "records", rest.agent ?? "a1"),
      containerLogger: {
        prepare: async ({ directory }) => ({
          stdout: join(directory, "stdout"),
          stderr: join(directory, "stderr"),
        }),
      },
      sandboxFetch: { fetch: async () => undefined },
      registryConfig: undefined,
      sandboxDirectory: SANDBOX,
      cfs: false,
      dns: undefined,
      removeDelay: 0,
      stopTimeout: 0,
      killOrphans: true,
      imagePull: new MetricsRegistry(this.clock).timer("containerizer/docker/image_pull"),
      clock: this.clock,
      logger,
      ...rest,
    };
    const containerizer = new DockerContainerizer(options, new Engine(socket));
    await containerizer.open();
    this.open.push(containerizer);
    return Object.assign(containerizer, { log: logger });
  }

  /** As by SIGKILL of the agent: the connections break, nothing else happens. */
  async die(containerizer: DockerContainerizer): Promise<void> {
    await containerizer.close();
  }

  async request(ask: Ask = {}): Promise<ContainerRequest> {
    const id = randomUUID();
    const directory = join(this.daemon.directory, "sandboxes", id);
    await mkdir(directory, { recursive: true });
    const amounts = resourcesOf(ask.resources ?? "cpus:0.5;mem:64");
    const resources = amounts.toMessages();
    const command: CommandInfo = {
      uris: [],
      arguments: [],
      ...(ask.script === undefined ? { shell: false } : { shell: true, value: ask.script }),
      ...ask.command,
    };
    const container: ContainerInfo = {
      type: ContainerInfo_Type.DOCKER,
      volumes: [],
      network_infos: [],
      docker: { image: IMAGE, port_mappings: [], parameters: [], ...ask.docker },
      ...ask.container,
    };
    const executor: ExecutorInfo = { executor_id: { value: id }, command, container, resources };
    const task: TaskInfo = {
      name: "t",
      task_id: { value: id },
      resources,
      limits: {},
      command,
      container,
      ...ask.task,
    };
    return {
      containerId: { value: id },
      frameworkId: "f",
      executorId: id,
      task: ask.executor === true ? undefined : task,
      executor: ask.executor === true ? executor : { ...executor, resources: [] },
      command,
      container,
      environment: { MESOS_FRAMEWORK_ID: "f", ...ask.environment },
      user: undefined,
      resources: amounts,
      limits: {},
      directory,
      checkpoint: true,
    };
  }

  /** Launches and waits for the end. */
  async run(containerizer: DockerContainerizer, ask: Ask): Promise<Outcome> {
    const request = await this.request(ask);
    await containerizer.launch(request);
    const end = await containerizer.wait(request.containerId);
    const outcome = { request, end: end!, ...(await this.output(request)) };
    await containerizer.destroy(request.containerId);
    return outcome;
  }

  async output({ directory }: ContainerRequest): Promise<{ stdout: string; stderr: string }> {
    const [stdout, stderr] = await Promise.all(
      ["stdout", "stderr"].map((name) => readFile(join(directory, name), "utf8").catch(() => "")),
    );
    return { stdout: stdout!, stderr: stderr! };
  }

  /** Names and states of the containers that the daemon has. */
  async listed(): Promise<Record<string, string>> {
    const all = JSON.parse(await this.daemon.api("GET", "/containers/json?all=1")) as {
      Names: string[];
      State: string;
    }[];
    return Object.fromEntries(all.map(({ Names, State }) => [Names[0]!.slice(1), State]));
  }

  async removeRecords(): Promise<void> {
    await rm(join(this.daemon.directory, "records"), { recursive: true, force: true });
  }
}

export interface Outcome {
  readonly request: ContainerRequest;
  readonly end: ContainerTermination;
  readonly stdout: string;
  readonly stderr: string;
}

export function resourcesOf(text: string): Resources {
  const parsed = parseResources(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

/** The message of a launch that must fail. */
export const refusal = (launch: Promise<unknown>): Promise<string> =>
  launch.then(
    () => "launched",
    (error: unknown) => (error as Error).message,
  );

export const parameters = (...pairs: readonly [string, string][]) =>
  pairs.map(([key, value]) => ({ key, value }));
