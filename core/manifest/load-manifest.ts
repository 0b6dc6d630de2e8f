import { dirname } from "node:path";
import type { Target } from "../../sdk/plugin/index.js";
import type { Origin } from "../flags/assignment.js";
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
import { closest } from "../kernel/closest.js";
import type { PluginEntry } from "../kernel/plugin-entry.js";
import { checkOutline, checkPlugin } from "./check-format.js";
import { choiceProblems, omission } from "./choose.js";
import { fillConfig } from "./fill-config.js";
import type { ManifestPlugin } from "./format.js";
import { pathKey, type Resolved, resolveReferences } from "./references.js";
import { loadDefinition, type ShippedPlugins } from "./resolve-plugin.js";
import type { ManifestSource } from "./source.js";

export interface ManifestOptions {
  readonly source: ManifestSource;
  /** The daemon that is to run; absent: the one that the manifest names. */
  readonly target?: Target | undefined;
  readonly shipped: ShippedPlugins;
  readonly flags?: ReadonlyMap<string, GivenFlag>;
  readonly environment?: Environment;
  /** Checks the file by itself: settings that only a command line can give (`work_dir`, `master`) count as given. */
  readonly alone?: boolean | undefined;
}

/** Stand-ins for what a manifest alone rarely holds. */
const ASSUMED = { work_dir: "/var/lib/mesos", master: "127.0.0.1:5050" };

interface OmittedPlugin {
  readonly name: string;
  readonly where: string;
  readonly why: string;
}

/** A plugin of the manifest with where each value of its config came from. */
export interface ManifestEntry {
  readonly entry: PluginEntry;
  /** By path inside its config, written as JSON. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** A manifest with everything put in; usable only where there are no problems. */
export interface LoadedManifest {
  readonly source: ManifestSource;
  readonly target: Target;
  readonly settings: ReadonlyMap<string, EffectiveSetting>;
  readonly plugins: readonly ManifestEntry[];
  /** Listed, but left out. */
  readonly omitted: readonly OmittedPlugin[];
  /** True when a plugin is missing here because it could not be loaded. */
  readonly incomplete: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** The settings as plugins read them. */
export const settingsOf = (manifest: LoadedManifest): TypedSettings => new TypedSettings(manifest.settings);

/** Checks a manifest, joins it with the flags and loads its plugins. Collects every problem; throws for none. */
export async function loadManifest(options: ManifestOptions): Promise<LoadedManifest> {
  const { source } = options;
  const { outline, problems: faults } = checkOutline(source);
  const problems = [...source.problems, ...faults];
  const target = options.target ?? outline.target ?? "master";
  if (outline.target !== undefined && outline.target !== target) {
    problems.push(
      `${source.where(["target"])}: target: the manifest is for the ${outline.target}, not for the ${target}`,
    );
  }
  const environment = options.environment ?? {};
  const written = resolveReferences(outline.settings, ["settings"], {
    source,
    environment,
    settings: undefined,
  });
  const specs = DAEMON_SETTINGS[target];
  const effective = effectiveSettings({
    specs,
    flags: options.flags ?? new Map(),
    manifest: manifestSettings(written, source),
    assumed: options.alone === true ? ASSUMED : undefined,
  });
  problems.push(...written.problems, ...effective.problems, ...startChecks(target, effective.settings));

  const loader = new PluginLoader(options, effective.settings);
  for (const [index, item] of outline.plugins.entries()) await loader.load(item, index);
  problems.push(...loader.problems);
  problems.push(...choiceProblems({ target, chosenBy: loader.chosenBy, settings: effective.settings }));
  return {
    source,
    target,
    settings: effective.settings,
    plugins: loader.plugins,
    omitted: loader.omitted,
    incomplete: loader.plugins.length + loader.omitted.length < outline.plugins.length,
    problems,
    warnings: [...effective.warnings, ...loader.warnings],
  };
}

class PluginLoader {
  readonly plugins: ManifestEntry[] = [];
  readonly omitted: OmittedPlugin[] = [];
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  /** Settings by which plugins are chosen. */
  readonly chosenBy = new Set<string>();

  constructor(
    private readonly options: ManifestOptions,
    private readonly settings: ReadonlyMap<string, EffectiveSetting>,
  ) {}

  async load(item: unknown, index: number): Promise<void> {
    const { source, environment = {}, shipped } = this.options;
    const path = ["plugins", index];
    const where = source.where(path);
    const resolved = resolveReferences(item, path, { source, environment, settings: this.settings });
    const { plugin, problems = [] } = checkPlugin(source, resolved.value, index);
    this.problems.push(...resolved.problems, ...problems);
    if (plugin === undefined || this.isOmitted(plugin, path)) return;
    const loaded = await loadDefinition(plugin.use, { shipped, folder: dirname(source.path) });
    if (!loaded.ok) {
      this.problems.push(`${where}: plugin '${plugin.use}': ${loaded.problem}`);
      return;
    }
    const { definition } = loaded;
    const name = plugin.as ?? definition.name;
    const filled = fillConfig({ schema: definition.config, given: plugin.config, settings: this.settings });
    this.warnings.push(...filled.warnings.map((warning) => `${where}: plugin '${name}': ${warning}`));
    this.plugins.push({
      entry: {
        name,
        definition,
        source: loaded.source,
        config: filled.config,
        unsetFlags: filled.unsetFlags,
        failure: plugin.failure,
        startTimeout: plugin.startTimeout,
        stopTimeout: plugin.stopTimeout,
        where,
        locate: (field) => placeOf(field, { filled: filled.origins, source, path }),
      },
      origins: new Map([...configOrigins(resolved, path.length), ...filled.origins]),
    });
  }

  private isOmitted(plugin: ManifestPlugin, path: readonly PropertyKey[]): boolean {
    const { source } = this.options;
    for (const name of Object.keys(plugin.when ?? {})) {
      this.chosenBy.add(name);
      if (this.settings.has(name)) continue;
      const guess = closest(name, this.settings.keys());
      const advice = guess === undefined ? "" : `; did you mean '${guess}'?`;
      this.problems.push(
        `${source.where([...path, "when", name])}: when: there is no setting '${name}'${advice}`,
      );
    }
    const why = omission(plugin, this.settings);
    if (why !== undefined)
      this.omitted.push({ name: plugin.as ?? plugin.use, where: source.where(path), why });
    return why !== undefined;
  }
}

/** Where a field of a plugin's config was given: by a flag, or on a line of the manifest. */
function placeOf(
  field: readonly PropertyKey[],
  manifest: { filled: ReadonlyMap<string, Origin>; source: ManifestSource; path: readonly PropertyKey[] },
): string {
  const origin = manifest.filled.get(pathKey(field.slice(0, 1)));
  if (origin !== undefined && origin.where !== "") return origin.where;
  return manifest.source.where([...manifest.path, "config", ...field]);
}

function manifestSettings(written: Resolved, source: ManifestSource): Map<string, ManifestSetting> {
  const values = written.value as Readonly<Record<string, unknown>>;
  return new Map(
    Object.entries(values).map(([name, value]) => {
      const path = ["settings", name];
      const origin = written.origins.get(pathKey(path)) ?? { kind: "manifest", where: source.where(path) };
      return [name, { value, origin }];
    }),
  );
}

function configOrigins(resolved: Resolved, depth: number): [string, Origin][] {
  return [...resolved.origins].flatMap(([key, origin]): [string, Origin][] => {
    const full = JSON.parse(key) as PropertyKey[];
    return full[depth] === "config" ? [[pathKey(full.slice(depth + 1)), origin]] : [];
  });
}
