import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestKernel, type TestKernel } from "../../core/testing/index.js";
import { SHIPPED } from "../../plugins/index.js";
import { Containerizer } from "../../sdk/contracts/containerizer.js";
import type { PluginDefinition } from "../../sdk/plugin/index.js";
import { Resources } from "../../sdk/resources/index.js";

const PARTS = ["sandbox-logger", "fetcher-file", "sandbox-fetch", "mesos-containerizer"] as const;

/** The part of an agent that makes containers, of the shipped plugins, in this process: what is timed is the containers alone. */
export class InProcessAgent {
  private count = 0;

  private constructor(
    private readonly kernel: TestKernel,
    private readonly directory: string,
    private readonly containerizer: Containerizer,
  ) {}

  static async start(parts: readonly (keyof typeof SHIPPED)[], isolation: string): Promise<InProcessAgent> {
    const directory = mkdtempSync(join(tmpdir(), "tepui-bench-"));
    const plugins: PluginDefinition[] = [];
    for (const part of [...parts, ...PARTS]) plugins.push((await SHIPPED[part]()).default);
    const launcher = parts.includes("linux-launcher") ? "linux" : "posix";
    const settings = {
      work_dir: directory,
      runtime_dir: join(directory, "run"),
      cgroups_root: `bench-${process.pid}`,
      isolation,
      launcher,
    };
    const kernel = await createTestKernel({ target: "agent", workDir: directory, plugins, settings });
    const [containerizer] = kernel.kernel.getAll(Containerizer);
    await containerizer!.recover([]);
    return new InProcessAgent(kernel, directory, containerizer!);
  }

  /** Milliseconds from asking for a container of `sh -c script` to its recorded end; and until nothing is left of it. */
  async run(script: string): Promise<{ ended: number; gone: number }> {
    const containerId = { value: `bench-${this.count++}` };
    const began = performance.now();
    await this.launch(containerId, script);
    await this.containerizer.wait(containerId);
    const ended = performance.now() - began;
    await this.containerizer.destroy(containerId);
    return { ended, gone: performance.now() - began };
  }

  /** Starts one that stays. */
  async hold(): Promise<void> {
    await this.launch({ value: `bench-${this.count++}` }, "exec sleep 100000");
  }

  async close(): Promise<void> {
    for (const id of this.containerizer.containers()) await this.containerizer.destroy(id);
    await this.kernel.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private async launch(containerId: { value: string }, script: string): Promise<void> {
    const directory = join(this.directory, containerId.value);
    mkdirSync(directory);
    const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value }, reservations: [] });
    await this.containerizer.launch({
      containerId,
      frameworkId: "bench",
      executorId: containerId.value,
      task: undefined,
      executor: { executor_id: containerId, resources: [] },
      command: { value: script, uris: [], arguments: [] },
      container: undefined,
      environment: {},
      user: undefined,
      resources: Resources.of([scalar("cpus", 0.1), scalar("mem", 32)]),
      limits: {},
      directory,
      checkpoint: true,
    });
  }
}
