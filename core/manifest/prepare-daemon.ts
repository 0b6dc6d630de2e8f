import { resolve } from "node:path";
import type { Settings } from "../../sdk/contracts/settings.js";
import { type PluginDefinition, pointOf, type Target } from "../../sdk/plugin/index.js";
import { DAEMON_FLAGS, loadDaemonFlags } from "../flags/daemon-flags.js";
import type { FlagSources } from "../flags/load-flags.js";
import { usage } from "../flags/usage.js";
import type { KernelServices } from "../kernel/context.js";
import { Kernel } from "../kernel/kernel.js";
import { label } from "../kernel/plugin-entry.js";
import { type LoadedManifest, loadManifest, settingsOf } from "./load-manifest.js";
import type { ShippedPlugins } from "./resolve-plugin.js";
import { shippedManifest } from "./shipped-manifest.js";
import { ManifestSource } from "./source.js";

export interface DaemonOptions extends FlagSources {
  readonly target: Target;
  /** The program's name in help and messages: `mesos-master`. */
  readonly program: string;
  readonly version: string;
  readonly shipped: ShippedPlugins;
  /** Creates what all plugins share, once the settings are known. */
  services(settings: Settings): Omit<KernelServices, "settings">;
  /** Only check, do not start: what the manifest leaves to the command line counts as given. */
  readonly alone?: boolean;
  /** Config that a program passes to plugins, by name, overriding the manifest: objects that no file can contain. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export type PreparedDaemon =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  | {
      readonly kind: "daemon";
      readonly manifest: LoadedManifest;
      readonly settings: Settings;
      /** Not started. */
      readonly kernel: Kernel;
      /** Everything that is wrong with flags, manifest and plugins. Start the kernel only if this is empty. */
      readonly problems: readonly string[];
      readonly warnings: readonly string[];
    };

/**
 * Goes all the way from a command line to a kernel that is ready to start; runs no plugin.
 *
 * @throws TepuiError TEPUI_MANIFEST_UNREADABLE
 */
export async function prepareDaemon(options: DaemonOptions): Promise<PreparedDaemon> {
  const { target, shipped, version } = options;
  const flags = loadDaemonFlags(target, options);
  const given = (name: string): unknown => flags.given.get(name)?.value.value;
  if (given("help") === true) return { kind: "help", text: usage(options.program, DAEMON_FLAGS[target]) };
  if (given("version") === true) return { kind: "version" };

  const chosen = given("manifest");
  const source = await ManifestSource.read(typeof chosen === "string" ? chosen : shippedManifest(target));
  const manifest = await loadManifest({
    source,
    target,
    shipped,
    flags: flags.given,
    environment: options.environment ?? {},
    alone: options.alone,
  });
  const settings = settingsOf(manifest);
  const workDir = settings.string("work_dir");
  const kernel = new Kernel({
    host: { target, version, ...(workDir === undefined ? {} : { workDir: resolve(workDir) }) },
    services: { ...options.services(settings), settings },
    plugins: manifest.plugins.map(({ entry }) => ({
      ...entry,
      config: { ...(entry.config as object), ...options.config?.[entry.name] },
    })),
    available: () => loadShipped(shipped),
  });
  const problems = [...flags.problems, ...manifest.problems, ...(await kernel.problems(manifest))];
  return {
    kind: "daemon",
    manifest,
    settings,
    kernel,
    problems,
    warnings: [
      ...flags.others.map((word) => `'${word}' is not a flag and has no effect`),
      ...flags.warnings,
      ...manifest.warnings,
      ...(problems.length === 0 ? unasked(manifest) : []),
    ],
  };
}

/** Third-party plugins that only provide what nobody here requires: they will have no effect. */
function unasked({ plugins, target }: LoadedManifest): string[] {
  const required = plugins.flatMap(({ entry }) => Object.values(entry.definition.requires).map(pointOf));
  const tokens = new Set(required.map(({ token }) => token));
  return plugins.flatMap(({ entry }) => {
    const { provides } = entry.definition;
    const own = entry.source.kind === "path" || entry.source.kind === "package";
    if (!own || provides.length === 0 || provides.some(({ token }) => tokens.has(token))) return [];
    const names = provides.map(({ name }) => `'${name}'`).join(", ");
    return [`${label(entry)} provides ${names}, which nothing in the ${target} asks for`];
  });
}

async function loadShipped(shipped: ShippedPlugins): Promise<PluginDefinition[]> {
  const loaded = await Promise.allSettled(Object.values(shipped).map((load) => load()));
  return loaded.flatMap((result) => (result.status === "fulfilled" ? [result.value.default] : []));
}
