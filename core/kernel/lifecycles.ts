import { type ErrorCode, isTepuiError, messageOf, TepuiError } from "../../sdk/errors/index.js";
import { type Host, isSkipPlugin, type Lifecycle } from "../../sdk/plugin/index.js";
import { type Duration, formatDuration } from "../../sdk/values/duration.js";
import type { Bindings } from "./bindings.js";
import { type KernelServices, makeContext } from "./context.js";
import type { LoadedPlugin } from "./loaded-plugin.js";
import { label } from "./plugin-entry.js";
import { withTimeLimit } from "./time-limit.js";

export interface LifecyclesOptions {
  readonly services: KernelServices;
  readonly host: Host;
  readonly bindings: Bindings;
  readonly timeLimit: Duration;
  readonly shutdownLimit: Duration;
}

/** Takes plugins through setup, start and stop, and applies their failure policies. */
export class Lifecycles {
  private readonly fatal: { plugin: LoadedPlugin; error: unknown }[] = [];
  /** Points that lost their provider because of a failure that ends the boot. */
  private readonly lost = new Set<symbol>();

  constructor(private readonly options: LifecyclesOptions) {}

  setUp(plugin: LoadedPlugin): void {
    const { bindings, services } = this.options;
    const { definition } = plugin.entry;
    if (this.lacksRequirement(plugin)) return;
    const { context, seal } = makeContext({ ...this.options, plugin });
    const begun = services.clock.monotonic();
    try {
      const lifecycle: unknown = definition.setup(context, bindings.deliver(definition.requires));
      plugin.lifecycle = checkLifecycle(lifecycle);
      const unbound = bindings.unbound(plugin);
      if (unbound.length > 0) {
        throw new TepuiError("TEPUI_BIND_INVALID", { detail: `setup bound nothing to ${quoted(unbound)}` });
      }
      plugin.state = "starting";
    } catch (error) {
      this.dropOut(plugin, error);
    } finally {
      seal();
      plugin.setupMs = services.clock.monotonic() - begun;
    }
  }

  /** Starts the plugins of a layer concurrently and waits for all of them. */
  async startLayer(layer: readonly LoadedPlugin[]): Promise<void> {
    await Promise.all(layer.filter((plugin) => plugin.active).map((plugin) => this.start(plugin)));
  }

  /** Stops layer after layer, the last one first; never rejects. */
  async stopAll(layers: readonly (readonly LoadedPlugin[])[]): Promise<readonly TepuiError[]> {
    const { clock } = this.options.services;
    const deadline = clock.monotonic() + this.options.shutdownLimit;
    const errors: TepuiError[] = [];
    for (const plugin of layers.flat()) plugin.abort.abort();
    for (const layer of layers.toReversed()) {
      await Promise.all(
        layer.map(async (plugin) => {
          const limit = Math.max(0, Math.min(this.stopLimit(plugin), deadline - clock.monotonic()));
          const error = await this.stop(plugin, limit);
          if (error !== undefined) errors.push(error);
        }),
      );
    }
    return errors;
  }

  /** Throws one error for all plugins whose failure ends the boot. */
  throwIfFailed(code: ErrorCode): void {
    if (this.fatal.length === 0) return;
    const problems = this.fatal.map(
      ({ plugin, error }) => `${label(plugin.entry)}: ${messageOf(error)}${thrownAt(plugin, error)}`,
    );
    throw new TepuiError(code, { problems, cause: this.fatal[0]!.error });
  }

  private async start(plugin: LoadedPlugin): Promise<void> {
    if (this.lacksRequirement(plugin)) return;
    const { clock, logger } = this.options.services;
    const limit = plugin.entry.startTimeout ?? this.options.timeLimit;
    plugin.startCalled = true;
    const { outcome, ms } = await withTimeLimit(clock, limit, () => plugin.lifecycle.start?.());
    if (outcome.kind === "done") {
      plugin.startMs = ms;
      plugin.state = "ready";
      logger.debug({ plugin: plugin.name, ms }, "plugin started");
      return;
    }
    const error =
      outcome.kind === "failed"
        ? outcome.error
        : new TepuiError("TEPUI_PLUGIN_START_TIMEOUT", { detail: `limit ${formatDuration(limit)}` });
    this.dropOut(plugin, error);
    // A plugin that failed for good is stopped together with all others.
    if (plugin.state !== "failed") await this.stop(plugin, this.stopLimit(plugin));
  }

  private async stop(plugin: LoadedPlugin, limit: Duration): Promise<TepuiError | undefined> {
    const { clock, logger } = this.options.services;
    let error: TepuiError | undefined;
    if (plugin.startCalled) {
      plugin.startCalled = false;
      const { outcome, ms } = await withTimeLimit(clock, limit, () => plugin.lifecycle.stop?.());
      plugin.stopMs = ms;
      if (outcome.kind !== "done") {
        error =
          outcome.kind === "late"
            ? new TepuiError("TEPUI_PLUGIN_STOP_TIMEOUT", {
                detail: `'${plugin.name}', limit ${formatDuration(limit)}`,
              })
            : new TepuiError("TEPUI_PLUGIN_STOP_FAILED", {
                detail: `'${plugin.name}': ${messageOf(outcome.error)}`,
                cause: outcome.error,
              });
        logger.error({ plugin: plugin.name, err: error }, error.message);
      }
    }
    await plugin.stateDir.dispose().catch((err: unknown) => {
      logger.warn({ plugin: plugin.name, err }, "a temporary state folder was left behind");
    });
    if (plugin.active) plugin.state = "stopped";
    if (error !== undefined) {
      plugin.state = "failed";
      plugin.reason ??= error.message;
    }
    return error;
  }

  /** Whether a point that the plugin requires has lost its provider; then the plugin drops out. */
  private lacksRequirement(plugin: LoadedPlugin): boolean {
    const point = this.options.bindings.unmet(plugin.entry.definition.requires);
    if (point === undefined) return false;
    if (this.lost.has(point.token)) {
      // The provider's failure ends the boot and is reported; dependants would only repeat it.
      plugin.state = "failed";
      plugin.reason = `it requires '${point.name}', whose provider failed`;
      this.lose(plugin);
    } else {
      this.dropOut(plugin, new Error(`it requires '${point.name}', whose provider dropped out`));
    }
    return true;
  }

  private dropOut(plugin: LoadedPlugin, error: unknown): void {
    const { bindings, services } = this.options;
    const policy = isSkipPlugin(error) ? "skip" : plugin.failure;
    plugin.reason = isSkipPlugin(error) ? error.reason : messageOf(error);
    bindings.withdraw(plugin);
    plugin.abort.abort();
    const facts = { plugin: plugin.name };
    if (isSkipPlugin(error)) {
      plugin.state = "skipped";
      services.logger.debug(facts, `plugin skipped: ${plugin.reason}`);
    } else if (policy === "abort") {
      plugin.state = "failed";
      this.fatal.push({ plugin, error });
      this.lose(plugin);
    } else {
      plugin.state = policy === "skip" ? "skipped" : "degraded";
      // An error of the table says everything in its message.
      const more = isTepuiError(error) ? facts : { ...facts, err: error };
      services.logger.warn(more, `the daemon runs without this plugin: ${plugin.reason}`);
    }
  }

  private lose(plugin: LoadedPlugin): void {
    for (const point of plugin.provides) this.lost.add(point.token);
  }

  private stopLimit(plugin: LoadedPlugin): Duration {
    return plugin.entry.stopTimeout ?? this.options.timeLimit;
  }
}

function checkLifecycle(returned: unknown): Lifecycle {
  if (typeof returned !== "object" || returned === null) return {};
  if ("then" in returned && typeof returned.then === "function") {
    Promise.resolve(returned).catch(() => undefined); // its outcome does not matter any more
    throw new TepuiError("TEPUI_PLUGIN_INVALID", {
      detail: "setup is asynchronous; setup only wires, work that waits belongs in start",
    });
  }
  for (const phase of ["start", "stop"] as const) {
    const step = (returned as Record<string, unknown>)[phase];
    if (step !== undefined && typeof step !== "function") {
      throw new TepuiError("TEPUI_PLUGIN_INVALID", {
        detail: `setup returned a ${phase} that is not a function`,
      });
    }
  }
  return returned;
}

/** Where a third-party plugin threw an error that does not explain itself: its author has no other clue. */
function thrownAt({ entry: { source } }: LoadedPlugin, error: unknown): string {
  if (source.kind === "shipped" || source.kind === "builtin") return "";
  if (isTepuiError(error) || !(error instanceof Error)) return "";
  const place = /^ +at .*?(\/[^()]*:\d+:\d+)\)?$/m.exec(error.stack ?? "")?.[1];
  return place === undefined ? "" : ` (${place.replace(/^\/\/(?=\/)/, "")})`;
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(", ");
