import { Clock } from "../../sdk/contracts/clock.js";
import { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import { Logger } from "../../sdk/contracts/logger.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { PluginDirectory } from "../../sdk/contracts/plugin-directory.js";
import { Random } from "../../sdk/contracts/random.js";
import { Settings } from "../../sdk/contracts/settings.js";
import { definePlugin, type PluginDefinition } from "../../sdk/plugin/index.js";
import type { KernelServices } from "./context.js";

/** The kernel's own services, provided like any other plugin's, so that they can be required and listed. */
export function servicesPlugin(
  services: KernelServices,
  directory: PluginDirectory,
  version: string,
): PluginDefinition {
  return definePlugin({
    name: "kernel",
    version,
    description: "Clock, randomness, logging, metrics, settings and the list of plugins",
    provides: [Clock, Random, Logger, LogVerbosity, Metrics, Settings, PluginDirectory],
    setup(ctx) {
      ctx.bind(Clock, services.clock);
      ctx.bind(Random, services.random);
      ctx.bind(Logger, services.logger);
      ctx.bind(LogVerbosity, services.verbosity);
      ctx.bind(Metrics, services.metrics);
      ctx.bind(Settings, services.settings);
      ctx.bind(PluginDirectory, directory);
    },
  });
}
