import { TimedVerbosity } from "../../sdk/contracts/log-verbosity.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { PluginDefinition, Target } from "../../sdk/plugin/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../sdk/testing/virtual-clock.js";
import type { Duration } from "../../sdk/values/duration.js";
import { DAEMON_SETTINGS } from "../flags/daemon-flags.js";
import { type EffectiveSetting, effectiveSettings } from "../flags/effective-settings.js";
import { TypedSettings } from "../flags/typed-settings.js";
import { Kernel } from "../kernel/kernel.js";
import { builtin, type PluginEntry } from "../kernel/plugin-entry.js";
import { fillConfig } from "../manifest/fill-config.js";
import { applyOverrides, type Override } from "./override.js";

export interface TestKernelOptions {
  readonly plugins: readonly (PluginDefinition | PluginEntry)[];
  readonly target?: Target;
  /** Part of the manifest for each plugin, by name. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * The daemon's settings by flag name, as in a manifest. Known flags are checked, have their defaults and fill the config of plugins as in
   * a daemon; others are passed on unchanged.
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly overrides?: readonly Override[];
  readonly clock?: VirtualClock;
  readonly seed?: number;
  readonly workDir?: string;
  /** Plugins that an error message may suggest. */
  readonly available?: () => Promise<readonly PluginDefinition[]>;
  readonly timeLimit?: Duration;
  readonly shutdownLimit?: Duration;
}

/** A real kernel on virtual time, with seeded randomness and a logger that records. */
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
    const target = options.target ?? "master";
    const settings = testSettings(target, options.settings ?? {});
    const entries = options.plugins.map((plugin) => {
      const entry = "definition" in plugin ? plugin : builtin(plugin);
      return { ...entry, config: configFor(entry, options.config?.[entry.name] ?? entry.config, settings) };
    });
    this.kernel = new Kernel({
      host: {
        target,
        version: "0.0.0-test",
        ...(options.workDir === undefined ? {} : { workDir: options.workDir }),
      },
      services: {
        clock: this.clock,
        random: this.random,
        logger: this.logger,
        verbosity: new TimedVerbosity(this.clock),
        metrics: this.metrics,
        settings: new TypedSettings(settings),
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

function testSettings(
  target: Target,
  given: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, EffectiveSetting> {
  const specs = DAEMON_SETTINGS[target];
  const origin = { kind: "manifest", where: "the test's settings" } as const;
  const known = new Set(specs.map(({ name }) => name));
  const entries = Object.entries(given).map(([name, value]) => [name, { value, origin }] as const);
  const { settings, problems } = effectiveSettings({
    specs,
    flags: new Map(),
    manifest: new Map(entries.filter(([name]) => known.has(name))),
  });
  if (problems.length > 0) throw new TepuiError("TEPUI_FLAGS_INVALID", { problems });
  const others = entries.filter(([name]) => !known.has(name));
  return new Map([
    ...settings,
    ...others.map(([name, { value }]) => [name, { value, text: String(value), origin }] as const),
  ]);
}

/** A config that is not an object is passed on, so that a test can see how the kernel reports it. */
function configFor(
  entry: PluginEntry,
  given: unknown,
  settings: ReadonlyMap<string, EffectiveSetting>,
): unknown {
  const fields = given ?? {};
  if (typeof fields !== "object" || Array.isArray(fields)) return given;
  return fillConfig({ schema: entry.definition.config, given: { ...fields }, settings }).config;
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
