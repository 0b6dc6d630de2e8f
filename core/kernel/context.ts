import type { Clock } from "../../sdk/contracts/clock.js";
import type { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { Settings } from "../../sdk/contracts/settings.js";
import { TepuiError } from "../../sdk/errors/index.js";
import {
  type AnyExtensionPoint,
  type Host,
  type KeyOptions,
  type PluginContext,
  SkipPlugin,
} from "../../sdk/plugin/index.js";
import type { Bindings } from "./bindings.js";
import type { LoadedPlugin } from "./loaded-plugin.js";

/** What all plugins share, provided by whoever runs the kernel. */
export interface KernelServices {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly verbosity: LogVerbosity;
  readonly metrics: Metrics;
  readonly settings: Settings;
}

export interface ContextOptions {
  readonly plugin: LoadedPlugin;
  readonly services: KernelServices;
  readonly host: Host;
  readonly bindings: Bindings;
}

/** The context of one plugin, and a switch that ends the time in which it may bind. */
export function makeContext(options: ContextOptions): { context: PluginContext; seal(): void } {
  const { plugin, services, host, bindings } = options;
  let sealed = false;
  const context: PluginContext = {
    name: plugin.name,
    config: plugin.config,
    logger: services.logger.child({ plugin: plugin.name }),
    clock: services.clock,
    random: services.random,
    metrics: services.metrics.scope(`${plugin.name}/`),
    settings: services.settings,
    signal: plugin.abort.signal,
    host,
    stateDir: () => plugin.stateDir.get(),
    bind: (point: AnyExtensionPoint, implementation: unknown, key?: KeyOptions) => {
      if (sealed) {
        throw new TepuiError("TEPUI_BIND_INVALID", {
          detail: `'${point.name}' was bound after setup had ended`,
        });
      }
      bindings.bind(plugin, point, implementation, key?.key);
    },
    skip: (reason: string): never => {
      throw new SkipPlugin(reason);
    },
  };
  return {
    context,
    seal: () => {
      sealed = true;
    },
  };
}
