import type {
  PluginDescription,
  PluginDirectory,
  PluginGraph,
} from "../../sdk/contracts/plugin-directory.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { ExtensionPoint, Host, PluginDefinition } from "../../sdk/plugin/index.js";
import type { Duration } from "../../sdk/values/duration.js";
import { Bindings } from "./bindings.js";
import type { KernelServices } from "./context.js";
import { Lifecycles } from "./lifecycles.js";
import { LoadedPlugin } from "./loaded-plugin.js";
import { makePlan, type Plan } from "./plan.js";
import { builtin, label, type PluginEntry } from "./plugin-entry.js";
import { servicesPlugin } from "./services-plugin.js";
import { StateDir } from "./state-dir.js";
import { claimWorkDir } from "./work-dir-claim.js";

export interface KernelOptions {
  readonly host: Host;
  readonly services: KernelServices;
  /** In manifest order. */
  readonly plugins: readonly PluginEntry[];
  /** Plugins that could be added; only used to suggest one that provides what is missing. */
  readonly available?: () => Promise<readonly PluginDefinition[]>;
  /** Time limit for each plugin's start and stop, unless the manifest sets one; 10 seconds by default. */
  readonly timeLimit?: Duration;
  /** Time limit for the whole shutdown; 30 seconds by default. */
  readonly shutdownLimit?: Duration;
}

const TIME_LIMIT_MS = 10_000;
const SHUTDOWN_LIMIT_MS = 30_000;

type Phase = "new" | "starting" | "running" | "stopped";

/** Assembles a daemon from plugins, runs it and shuts it down. It knows no feature. */
export class Kernel implements PluginDirectory {
  private readonly bindings = new Bindings();
  private readonly plan: Plan;
  private readonly plugins: readonly LoadedPlugin[];
  private readonly layers: readonly (readonly LoadedPlugin[])[];
  private readonly lifecycles: Lifecycles;
  private phase: Phase = "new";
  private starting: Promise<void> = Promise.resolve();
  private stopping: Promise<readonly TepuiError[]> | undefined;
  /** Releases the work directory. */
  private disclaim: () => Promise<void> = async () => {};

  constructor(private readonly options: KernelOptions) {
    const { host, services } = options;
    const own = builtin(servicesPlugin(services, this, host.version));
    this.plan = makePlan([own, ...options.plugins], host.target);
    this.plugins = this.plan.plugins.map(
      (planned) => new LoadedPlugin(planned, new StateDir(planned.entry.name, host.workDir)),
    );
    const byEntry = new Map(this.plugins.map((plugin) => [plugin.entry, plugin]));
    this.layers = this.plan.layers.map((layer) => layer.map((planned) => byEntry.get(planned.entry)!));
    this.lifecycles = new Lifecycles({
      services,
      host,
      bindings: this.bindings,
      timeLimit: options.timeLimit ?? TIME_LIMIT_MS,
      shutdownLimit: options.shutdownLimit ?? SHUTDOWN_LIMIT_MS,
    });
  }

  /**
   * Every reason why these plugins cannot be started together. Runs no plugin code. `incomplete`: the caller knows that some plugins could
   * not be loaded, so missing providers are not reported; they may be among those.
   */
  async problems({ incomplete = false } = {}): Promise<readonly string[]> {
    if (incomplete || this.plan.missing.length === 0) return this.plan.problems;
    const available = (await this.options.available?.()) ?? [];
    const missing = this.plan.missing.map(({ entry, point }) => {
      const helpers = available
        .filter((plugin) => plugin.targets.includes(this.options.host.target))
        .filter((plugin) => plugin.provides.some((provided) => provided.token === point.token))
        .map((plugin) => `'${plugin.name}'`);
      const advice =
        helpers.length === 0
          ? "no shipped plugin does either"
          : `shipped plugins that do: ${helpers.join(", ")}`;
      return `${label(entry)} requires '${point.name}' ${point.version}, which no loaded plugin provides; ${advice}`;
    });
    return [...this.plan.problems, ...missing];
  }

  /**
   * Sets up and starts all plugins. If it rejects, everything that was started has been stopped again.
   *
   * @throws TepuiError TEPUI_BOOT_FAILED with every problem of the graph, TEPUI_PLUGIN_SETUP_FAILED or TEPUI_PLUGIN_START_FAILED with every
   * plugin that failed in that phase, TEPUI_WORK_DIR_IN_USE.
   */
  async start(): Promise<void> {
    if (this.phase !== "new") {
      throw new TepuiError("TEPUI_KERNEL_STATE", { detail: `start of a kernel that is ${this.phase}` });
    }
    this.phase = "starting";
    this.starting = this.boot();
    await this.starting;
  }

  /**
   * Stops the plugins in reverse order, within a time limit; also works during the start. Later calls wait for the first.
   * Returns what went wrong: plugins that failed to stop, and those that were abandoned.
   */
  stop(): Promise<readonly TepuiError[]> {
    this.stopping ??= this.shutDown();
    return this.stopping;
  }

  /** What is bound to a point; for the program around the kernel and for tests. Plugins declare what they require instead. */
  get<T>(point: ExtensionPoint<T, "one">): T {
    const found = this.bindings.resolve(point);
    if (found === undefined) {
      throw new TepuiError("TEPUI_KERNEL_STATE", { detail: `nothing is bound to '${point.name}'` });
    }
    return found as T; // bound through the same typed point
  }

  getAll<T>(point: ExtensionPoint<T, "many" | "ordered">): readonly T[] {
    return this.bindings.resolve(point) as readonly T[];
  }

  getKeyed<T>(point: ExtensionPoint<T, "keyed">): ReadonlyMap<string, T> {
    return this.bindings.resolve(point) as ReadonlyMap<string, T>;
  }

  describe(): readonly PluginDescription[] {
    return this.plugins.map((plugin) => plugin.describe());
  }

  graph(): PluginGraph {
    return {
      layers: this.layers.map((layer) => layer.map((plugin) => plugin.name)),
      edges: this.plan.edges,
    };
  }

  private async boot(): Promise<void> {
    const problems = await this.problems();
    if (problems.length > 0) {
      this.phase = "stopped";
      throw new TepuiError("TEPUI_BOOT_FAILED", { problems });
    }
    try {
      for (const layer of this.layers) for (const plugin of layer) this.lifecycles.setUp(plugin);
      this.lifecycles.throwIfFailed("TEPUI_PLUGIN_SETUP_FAILED");
      // Plugins start by removing what an earlier run left behind, which must not be in use by a running daemon.
      this.disclaim = await claimWorkDir(this.options.host);
      for (const layer of this.layers) {
        if (this.stopping !== undefined) break;
        await this.lifecycles.startLayer(layer);
        this.lifecycles.throwIfFailed("TEPUI_PLUGIN_START_FAILED");
      }
    } catch (error) {
      // The caller needs the error that ended the boot; errors during the clean-up are logged.
      await this.lifecycles.stopAll(this.layers);
      await this.disclaim();
      this.phase = "stopped";
      throw error;
    }
    if (this.stopping !== undefined) {
      throw new TepuiError("TEPUI_KERNEL_STATE", { detail: "it was stopped while it started" });
    }
    this.phase = "running";
  }

  private async shutDown(): Promise<readonly TepuiError[]> {
    for (const plugin of this.plugins) plugin.abort.abort();
    // The caller of start() receives its error; here only its end matters.
    await this.starting.catch(() => undefined);
    const errors = await this.lifecycles.stopAll(this.layers);
    await this.disclaim();
    this.phase = "stopped";
    return errors;
  }
}
