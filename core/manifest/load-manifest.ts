import type { Target } from "../../sdk/plugin/index.js";
import { DAEMON_SETTINGS } from "../flags/daemon-flags.js";
import {
  type EffectiveSetting,
  effectiveSettings,
  type ManifestSetting,
} from "../flags/effective-settings.js";
import type { GivenFlag } from "../flags/load-flags.js";
import type { Environment } from "../flags/sources.js";
import { startChecks } from "../flags/start-checks.js";
import { TypedSettings } from "../flags/typed-settings.js";
import { checkPlugin } from "./check-format.js";
import { choiceProblems } from "./choose.js";
import { compose, configOrigins, type Item } from "./compose.js";
import { type Layer, readLayers } from "./layers.js";
import { type ManifestEntry, type OmittedPlugin, PluginLoader } from "./plugin-loader.js";
import { pathKey, resolveReferences } from "./references.js";
import type { ShippedPlugins } from "./resolve-plugin.js";
import type { ManifestSource } from "./source.js";

export interface ManifestOptions {
  readonly source: ManifestSource;
  /** The daemon to run; absent: the one that the manifest names. */
  readonly target?: Target | undefined;
  readonly shipped: ShippedPlugins;
  readonly flags?: ReadonlyMap<string, GivenFlag>;
  readonly environment?: Environment;
  /** Check the file alone: settings that only a command line can provide (`work_dir`, `master`) count as given. */
  readonly alone?: boolean | undefined;
}

/** Stand-ins for settings that a manifest rarely contains. */
const ASSUMED = { work_dir: "/var/lib/mesos", master: "127.0.0.1:5050" };

/** A manifest with everything resolved; only usable if there are no problems. */
export interface LoadedManifest {
  readonly target: Target;
  readonly settings: ReadonlyMap<string, EffectiveSetting>;
  readonly plugins: readonly ManifestEntry[];
  /** Listed, but left out. */
  readonly omitted: readonly OmittedPlugin[];
  /** A plugin is missing here because it could not be loaded. */
  readonly incomplete: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** The settings as plugins read them. */
export const settingsOf = (manifest: LoadedManifest): TypedSettings => new TypedSettings(manifest.settings);

/**
 * Validates a manifest, merges it with those that it extends and with the flags, and loads its plugins. Collects every problem; never
 * throws for one.
 */
export async function loadManifest(options: ManifestOptions): Promise<LoadedManifest> {
  const { source, environment = {}, shipped } = options;
  const { layers, problems: faults } = await readLayers(source);
  const problems = [...faults];
  const own = layers.at(-1)!.outline.target;
  const target = options.target ?? own ?? "master";
  if (own !== undefined && own !== target) {
    problems.push(
      `${source.where(["target"])}: target: the manifest is for the ${own}, not for the ${target}`,
    );
  }
  const written = layers.map((layer) => writtenSettings(layer, environment));
  const { settings, ...effective } = effectiveSettings({
    specs: DAEMON_SETTINGS[target],
    flags: options.flags ?? new Map(),
    manifest: new Map(written.flatMap(({ values }) => [...values])),
    assumed: options.alone === true ? ASSUMED : undefined,
  });
  problems.push(
    ...written.flatMap((one) => one.problems),
    ...effective.problems,
    ...startChecks(target, settings),
  );

  const loader = new PluginLoader(shipped, settings);
  for (const plugin of compose(layers.map((layer) => itemsOf(layer, { environment, settings })))) {
    await loader.load(plugin);
  }
  problems.push(...loader.problems);
  problems.push(...choiceProblems({ target, chosenBy: loader.chosenBy, settings }));
  return {
    target,
    settings,
    plugins: loader.plugins,
    omitted: loader.omitted,
    incomplete: loader.incomplete,
    problems,
    warnings: [...effective.warnings, ...loader.warnings],
  };
}

/** The settings of one file, by name, with references resolved. */
function writtenSettings({ source, outline }: Layer, environment: Environment) {
  const base = ["settings"];
  const { value, origins, problems } = resolveReferences(outline.settings, base, {
    source,
    environment,
    settings: undefined,
  });
  const values = Object.entries(value as Readonly<Record<string, unknown>>).map(
    ([name, value]): [string, ManifestSetting] => {
      const path = [...base, name];
      const origin = origins.get(pathKey(path)) ?? { kind: "manifest", where: source.where(path) };
      return [name, { value, origin }];
    },
  );
  return { values, problems };
}

/** The items of one file's list of plugins, with references resolved. */
function itemsOf(
  { source, outline }: Layer,
  context: { environment: Environment; settings: ReadonlyMap<string, EffectiveSetting> },
): Item[] {
  return outline.plugins.map((item, index) => {
    const path = ["plugins", index];
    const resolved = resolveReferences(item, path, { source, ...context });
    const { plugin, problems = [] } = checkPlugin(source, resolved.value, index);
    return {
      fragment: plugin && { source, path, plugin, origins: configOrigins(resolved.origins, path) },
      problems: [...resolved.problems, ...problems],
    };
  });
}
