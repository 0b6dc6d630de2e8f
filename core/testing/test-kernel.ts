import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import type { TepuiError } from "../../sdk/errors/index.js";
import type { PluginDefinition, Target } from "../../sdk/plugin/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../sdk/testing/virtual-clock.js";
import type { Duration } from "../../sdk/values/duration.js";
import { TypedSettings } from "../flags/typed-settings.js";
import { Kernel } from "../kernel/kernel.js";
import { builtin, type PluginEntry } from "../kernel/plugin-entry.js";
import { applyOverrides, type Override } from "./override.js";

export interface TestKernelOptions {
  readonly plugins: readonly (PluginDefinition | PluginEntry)[];
  readonly target?: Target;
  /** Part of the manifest for each plugin, by name. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The daemon's settings by flag name, in natural form (durations in milliseconds). */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly overrides?: readonly Override[];
  readonly clock?: VirtualClock;
  readonly seed?: number;
  readonly workDir?: string;
  /** Plugins that an error may suggest. */
  readonly available?: () => Promise<readonly PluginDefinition[]>;
  readonly timeLimit?: Duration;
  readonly shutdownLimit?: Duration;
}

/** A real kernel on virtual time, with seeded randomness and a logger that remembers. */
export class TestKernel {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly logger = new MemoryLogger();
  readonly metrics: MetricsRegistry;
  readonly kernel: Kernel;

  constructor(options: TestKernelOptions) {
    this.clock = options.clock ?? new VirtualClock();
    this.random = new SeededRandom(options.seed);
    this.metrics = new MetricsRegistry(this.clock);
    const settings = Object.entries(options.settings ?? {});
    const entries = options.plugins.map((plugin) => {
      const entry = "definition" in plugin ? plugin : builtin(plugin);
      return { ...entry, config: options.config?.[entry.name] ?? entry.config };
    });
    this.kernel = new Kernel({
      host: {
        target: options.target ?? "master",
        version: "0.0.0-test",
        ...(options.workDir === undefined ? {} : { workDir: options.workDir }),
      },
      services: {
        clock: this.clock,
        random: this.random,
        logger: this.logger,
        metrics: this.metrics,
        settings: new TypedSettings(
          new Map(settings.map(([name, value]) => [name, { value, text: String(value) }])),
        ),
      },
      plugins: applyOverrides(entries, options.overrides ?? []),
      ...(options.available === undefined ? {} : { available: options.available }),
      ...(options.timeLimit === undefined ? {} : { timeLimit: options.timeLimit }),
      ...(options.shutdownLimit === undefined ? {} : { shutdownLimit: options.shutdownLimit }),
    });
  }

  stop(): Promise<readonly TepuiError[]> {
    return this.kernel.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Starts a kernel for a test. Rejects as `Kernel.start` does.
 *
 *     await using test = await createTestKernel({ plugins: [myPlugin], target: "agent" });
 *     test.kernel.getAll(Isolator); await test.clock.advance(1000);
 */
export async function createTestKernel(options: TestKernelOptions): Promise<TestKernel> {
  const test = new TestKernel(options);
  await test.kernel.start();
  return test;
}
