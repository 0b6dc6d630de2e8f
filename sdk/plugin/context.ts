import type { Clock } from "../contracts/clock.js";
import type { Logger } from "../contracts/logger.js";
import type { Metrics } from "../contracts/metrics.js";
import type { Random } from "../contracts/random.js";
import type { Settings } from "../contracts/settings.js";
import type { ExtensionPoint } from "./extension-point.js";

/** The kind of daemon that a kernel runs. */
export type Target = "master" | "agent";

/** Facts about the process that a plugin runs in. */
export interface Host {
  readonly target: Target;
  /** Root of the daemon's persistent state, absolute; absent when the daemon keeps none. */
  readonly workDir?: string;
  /** Version of Tepui. */
  readonly version: string;
}

export interface KeyOptions {
  readonly key: string;
}

/** What the kernel gives to one plugin. Nothing in it is shared with another plugin but clock, random and host. */
export interface PluginContext<Config = unknown> {
  /** The name under which the manifest loaded the plugin. */
  readonly name: string;
  /** The plugin's part of the manifest, checked and completed by its schema. */
  readonly config: Config;
  /** Each line carries the plugin's name. */
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Names are prefixed with `<plugin>/`. To publish under other names, require the `Metrics` point. */
  readonly metrics: Metrics;
  /** Aborted when the kernel begins to stop. */
  readonly signal: AbortSignal;
  readonly host: Host;
  /** The daemon's own settings, by Mesos flag name. */
  readonly settings: Settings;
  /** The plugin's own directory below the work directory, created by the first call; without a work directory, a temporary one. */
  stateDir(): Promise<string>;
  /** Binds an implementation to a point listed in `provides`; in `setup` only. */
  bind<T>(point: ExtensionPoint<T, "one" | "many" | "ordered">, implementation: NoInfer<T>): void;
  bind<T>(point: ExtensionPoint<T, "keyed">, implementation: NoInfer<T>, options: KeyOptions): void;
  /** Leaves the plugin out because it does not apply to this host, which is not a failure. Usable in `setup` and `start`. */
  skip(reason: string): never;
}

/** Thrown by `ctx.skip`. */
export class SkipPlugin extends Error {
  override readonly name = "SkipPlugin";

  constructor(readonly reason: string) {
    super(`skipped: ${reason}`);
  }
}

/** Also true for one thrown by another copy of the package. */
export function isSkipPlugin(thrown: unknown): thrown is SkipPlugin {
  return thrown instanceof Error && thrown.name === "SkipPlugin" && "reason" in thrown;
}
