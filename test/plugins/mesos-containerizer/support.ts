import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileFetcher } from "../../../plugins/fetcher-file/file-fetcher.js";
import { PERL_HELPER } from "../../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../../plugins/launchers/posix/posix-command.js";
import { ShimLauncher } from "../../../plugins/launchers/shim/shim-launcher.js";
import { MesosContainerizer } from "../../../plugins/mesos-containerizer/containerizer.js";
import { FetchCache } from "../../../plugins/sandbox-fetch/fetch-cache.js";
import { UriFetch } from "../../../plugins/sandbox-fetch/uri-fetch.js";
import { SandboxLogger } from "../../../plugins/sandbox-logger/sandbox-logger.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import type { Fetcher } from "../../../sdk/contracts/fetcher.js";
import type { Provisioner } from "../../../sdk/contracts/image.js";
import type { Isolator } from "../../../sdk/contracts/isolator.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { containerRequest } from "../../support/container-request.js";

const SUPERVISOR = new URL("../../../plugins/launchers/posix/supervisor.js", import.meta.url).pathname;

interface Parts {
  /** Not started; the posix launcher where it is absent. */
  readonly launcher?: ShimLauncher;
  readonly provisioner?: Provisioner;
}

/** A containerizer of the real parts, in a directory of its own. */
export class ContainerizerBench {
  readonly logger = new MemoryLogger();
  readonly metrics = new MetricsRegistry(new SystemClock());
  readonly launcher: ShimLauncher;
  readonly containerizer: MesosContainerizer;
  private count = 0;

  private constructor(
    readonly directory: string,
    isolators: readonly Isolator[],
    fetchers: ReadonlyMap<string, Fetcher>,
    { launcher, provisioner }: Parts,
  ) {
    this.launcher =
      launcher ??
      new ShimLauncher({
        name: "posix",
        command: posixCommand,
        helpers: [
          ["perl", "-e", PERL_HELPER],
          [process.execPath, SUPERVISOR],
        ],
        logger: this.logger,
      });
    this.containerizer = new MesosContainerizer({
      isolators,
      launcher: this.launcher,
      containerLogger: new SandboxLogger(),
      sandboxFetch: new UriFetch({
        fetchers,
        cache: new FetchCache({
          directory: join(directory, "cache"),
          capacity: 1_000_000,
          logger: this.logger,
        }),
        frameworksHome: directory,
        stallTimeout: 5000,
        stagingDirectory: join(directory, "staging"),
        succeeded: this.metrics.counter("succeeded"),
        failed: this.metrics.counter("failed"),
      }),
      provisioner,
      recordsDirectory: join(directory, "records"),
      destroyErrors: this.metrics.counter("destroyErrors"),
      clock: new SystemClock(),
      logger: this.logger,
    });
  }

  static async open(
    options: {
      isolators?: readonly Isolator[];
      fetchers?: ReadonlyMap<string, Fetcher>;
      directory?: string;
    } & Parts = {},
  ): Promise<ContainerizerBench> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "tepui-containerizer-")));
    const fetchers = options.fetchers ?? new Map([["file", new FileFetcher()]]);
    const bench = new ContainerizerBench(directory, options.isolators ?? [], fetchers, options);
    await bench.containerizer.prepareDirectories();
    await bench.launcher.start();
    return bench;
  }

  async close(): Promise<void> {
    await this.launcher.stop();
    // Shims of containers that outlive their agent may be writing their last record.
    await rm(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  /** As an agent would ask, for a container of `sh -c script`. */
  async request(script: string, more: Partial<ContainerRequest> = {}): Promise<ContainerRequest> {
    const id = `c${this.count++}`;
    return containerRequest({ id, sandboxes: join(this.directory, "sandboxes") }, script, more);
  }
}
