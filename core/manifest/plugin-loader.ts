import { dirname } from "node:path";
import type { Origin } from "../flags/assignment.js";
import type { EffectiveSetting } from "../flags/effective-settings.js";
import { closest } from "../kernel/closest.js";
import type { PluginEntry } from "../kernel/plugin-entry.js";
import { omission } from "./choose.js";
import { type ComposedPlugin, type compose, type Fragment, speaker } from "./compose.js";
import { fillConfig } from "./fill-config.js";
import { pathKey } from "./references.js";
import { loadDefinition, type ShippedPlugins } from "./resolve-plugin.js";

export interface OmittedPlugin {
  readonly name: string;
  readonly where: string;
  readonly why: string;
}

/** A plugin of the manifest, with the origins of its config values. */
export interface ManifestEntry {
  readonly entry: PluginEntry;
  /** By path within its config, encoded as JSON. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Loads the plugins of a manifest one by one, and notes the outcome of each. */
export class PluginLoader {
  readonly plugins: ManifestEntry[] = [];
  readonly omitted: OmittedPlugin[] = [];
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  /** Settings by which plugins are selected. */
  readonly chosenBy = new Set<string>();
  /** True if a plugin could not be loaded. */
  incomplete = false;

  constructor(
    private readonly shipped: ShippedPlugins,
    private readonly settings: ReadonlyMap<string, EffectiveSetting>,
  ) {}

  async load(composed: ReturnType<typeof compose>[number]): Promise<void> {
    this.problems.push(...composed.problems);
    if (composed.plugin === undefined) {
      this.incomplete = true;
      return;
    }
    const { plugin, giver, fragments } = composed;
    if (this.isOmitted(composed)) return;
    const where = placeOf(giver);
    const loaded = await loadDefinition(plugin.use, {
      shipped: this.shipped,
      folder: dirname(giver.source.path),
    });
    if (!loaded.ok) {
      this.problems.push(`${where}: plugin '${plugin.use}': ${loaded.problem}`);
      this.incomplete = true;
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
        locate: (field) => placeOfField(field, fragments, filled.origins),
      },
      origins: new Map([...composed.origins, ...filled.origins]),
    });
  }

  private isOmitted({ plugin, fragments }: ComposedPlugin): boolean {
    const chooser = speaker(fragments, ({ when }) => when !== undefined);
    for (const name of Object.keys(plugin.when ?? {})) {
      this.chosenBy.add(name);
      if (this.settings.has(name)) continue;
      const guess = closest(name, this.settings.keys());
      const advice = guess === undefined ? "" : `; did you mean '${guess}'?`;
      this.problems.push(`${placeOf(chooser, "when", name)}: when: there is no setting '${name}'${advice}`);
    }
    const why = omission(plugin, this.settings);
    if (why === undefined) return false;
    const remover =
      plugin.disabled === true ? speaker(fragments, ({ disabled }) => disabled !== undefined) : chooser;
    this.omitted.push({ name: plugin.as ?? plugin.use, where: placeOf(remover), why });
    return true;
  }
}

const placeOf = ({ source, path }: Fragment, ...field: PropertyKey[]): string =>
  source.where([...path, ...field]);

/** Where a field of a plugin's config came from: a flag, or a line of a manifest. */
function placeOfField(
  field: readonly PropertyKey[],
  fragments: readonly Fragment[],
  filled: ReadonlyMap<string, Origin>,
): string {
  const origin = filled.get(pathKey(field.slice(0, 1)));
  if (origin !== undefined && origin.where !== "") return origin.where;
  const given = fragments.findLast(({ plugin: { config } }) => Object.hasOwn(config ?? {}, field[0] ?? ""));
  return placeOf(given ?? speaker(fragments, ({ config }) => config !== undefined), "config", ...field);
}
