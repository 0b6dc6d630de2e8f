import type { PluginEdge } from "../../sdk/contracts/plugin-directory.js";
import { type AnyExtensionPoint, isOptional, pointOf, type Target } from "../../sdk/plugin/index.js";
import { checkConfig } from "./check-config.js";
import { checkDefinition } from "./check-definition.js";
import { findCycles } from "./cycles.js";
import { label, type PluginEntry } from "./plugin-entry.js";

export interface PlannedPlugin {
  readonly entry: PluginEntry;
  /** Position in the manifest. */
  readonly index: number;
  /** Validated, and completed with the schema's defaults. */
  readonly config: unknown;
}

/** A required `one` point that no loaded plugin provides. */
interface MissingProvider {
  readonly entry: PluginEntry;
  readonly point: AnyExtensionPoint;
}

/** What the kernel is going to do, or why it cannot. */
export interface Plan {
  /** In manifest order. */
  readonly plugins: readonly PlannedPlugin[];
  /** Each layer only requires earlier ones; manifest order within a layer. Empty if there is a cycle. */
  readonly layers: readonly (readonly PlannedPlugin[])[];
  readonly edges: readonly PluginEdge[];
  readonly missing: readonly MissingProvider[];
  /** Every reason why these plugins cannot run together, except `missing`. */
  readonly problems: readonly string[];
}

interface Provision {
  readonly planned: PlannedPlugin;
  readonly point: AnyExtensionPoint;
}

/** Works out who requires whom, and finds everything that is wrong with that. Uses declared data only: no plugin code runs. */
export function makePlan(entries: readonly PluginEntry[], target: Target): Plan {
  const problems: string[] = [];
  const sound: PlannedPlugin[] = [];
  const names = new Map<string, PluginEntry>();
  const lacking = new Map<string, PluginEntry[]>();
  for (const [index, entry] of entries.entries()) {
    const faults = checkDefinition(entry.definition);
    problems.push(...faults.map((fault) => `${label(entry)}: ${fault}`));
    if (faults.length > 0) continue;
    const twin = names.get(entry.name);
    if (twin !== undefined) {
      problems.push(
        `${label(entry)} is listed twice${at(twin)}; remove one, or give it another name with 'as'`,
      );
      continue;
    }
    names.set(entry.name, entry);
    if (!entry.definition.targets.includes(target)) {
      problems.push(
        `${label(entry)} is made for ${entry.definition.targets.join(" and ")}, not for the ${target}`,
      );
    }
    const checked = checkConfig(entry);
    if (checked.problems !== undefined) {
      problems.push(...checked.problems);
      for (const flag of checked.lacking ?? []) lacking.set(flag, [...(lacking.get(flag) ?? []), entry]);
    }
    sound.push({ entry, index, config: checked.problems === undefined ? checked.config : undefined });
  }

  problems.unshift(...[...lacking].map(([flag, plugins]) => describeLack(flag, plugins)));

  const providers = groupProviders(sound);
  problems.push(...checkProviders(providers));
  const { edges, missing, mismatches } = connect(sound, providers);
  problems.push(...mismatches);

  const byName = new Map(sound.map((planned) => [planned.entry.name, planned]));
  const requiredBy = new Map(sound.map((planned) => [planned, new Set<PlannedPlugin>()]));
  for (const edge of edges) requiredBy.get(byName.get(edge.from)!)!.add(byName.get(edge.to)!);
  const cycles = findCycles(sound, (planned) => requiredBy.get(planned)!);
  problems.push(...cycles.map((cycle) => describeCycle(cycle, edges)));
  const layers = cycles.length > 0 ? [] : layersOf(sound, requiredBy);
  return { plugins: sound, layers, edges, missing, problems };
}

/** One line per flag, however many plugins need it. */
function describeLack(flag: string, [first, ...others]: readonly PluginEntry[]): string {
  const more = others.length === 0 ? "" : `, and by ${others.length} more`;
  return `--${flag}: is required by plugin '${first!.name}'${at(first!)}${more}`;
}

function groupProviders(plugins: readonly PlannedPlugin[]): Map<symbol, Provision[]> {
  const providers = new Map<symbol, Provision[]>();
  for (const planned of plugins) {
    for (const point of planned.entry.definition.provides) {
      const list = providers.get(point.token) ?? [];
      if (!list.some((other) => other.planned === planned)) list.push({ planned, point });
      providers.set(point.token, list);
    }
  }
  return providers;
}

function checkProviders(providers: ReadonlyMap<symbol, readonly Provision[]>): string[] {
  const problems: string[] = [];
  for (const [first, ...others] of providers.values()) {
    if (first === undefined || others.length === 0) continue;
    const { name, cardinality } = first.point;
    for (const other of others) {
      if (other.point.cardinality !== cardinality) {
        problems.push(
          `${label(other.planned.entry)} provides '${name}' as '${other.point.cardinality}', ` +
            `but '${first.planned.entry.name}' as '${cardinality}'`,
        );
      }
    }
    if (cardinality === "one") {
      const list = [first, ...others].map(({ planned }) => `'${planned.entry.name}'${at(planned.entry)}`);
      problems.push(
        `'${name}' can have one provider only, found ${list.length}: ${list.join(", ")}; remove all but one`,
      );
    }
  }
  return problems;
}

function connect(
  plugins: readonly PlannedPlugin[],
  providers: ReadonlyMap<symbol, readonly Provision[]>,
): { edges: PluginEdge[]; missing: MissingProvider[]; mismatches: string[] } {
  const edges: PluginEdge[] = [];
  const missing: MissingProvider[] = [];
  const mismatches: string[] = [];
  for (const { entry } of plugins) {
    for (const dependency of Object.values(entry.definition.requires)) {
      const point = pointOf(dependency);
      const optional = isOptional(dependency);
      const provisions = providers.get(point.token) ?? [];
      if (provisions.length === 0 && point.cardinality === "one" && !optional) missing.push({ entry, point });
      for (const { planned, point: provided } of provisions) {
        edges.push({ from: entry.name, to: planned.entry.name, point: point.name, optional });
        const gap = incompatibility(point, provided);
        if (gap !== undefined) {
          mismatches.push(
            `${label(entry)} requires '${point.name}' ${gap} '${planned.entry.name}'${at(planned.entry)}`,
          );
        }
      }
    }
  }
  return { edges, missing, mismatches };
}

/** The middle of a sentence about why this provision does not match; undefined if it does. */
function incompatibility(required: AnyExtensionPoint, provided: AnyExtensionPoint): string | undefined {
  if (required.cardinality !== provided.cardinality) {
    return `as '${required.cardinality}', but it is provided as '${provided.cardinality}' by`;
  }
  const [major, minor] = versionOf(required);
  const [providedMajor, providedMinor] = versionOf(provided);
  if (major !== providedMajor) {
    return `${required.version}, but an incompatible version ${provided.version} is provided by`;
  }
  return minor > providedMinor
    ? `${required.version}, but only version ${provided.version} is provided by`
    : undefined;
}

function versionOf(point: AnyExtensionPoint): [major: number, minor: number] {
  const [major, minor] = point.version.split(".");
  return [Number(major), Number(minor)];
}

function describeCycle(cycle: readonly PlannedPlugin[], edges: readonly PluginEdge[]): string {
  const steps = cycle.map((planned, index) => {
    const from = planned.entry.name;
    const to = cycle[(index + 1) % cycle.length]!.entry.name;
    const points = edges.filter((edge) => edge.from === from && edge.to === to).map((edge) => edge.point);
    return `-(${[...new Set(points)].join(", ")})-> ${to}`;
  });
  return `plugins require each other in a circle: ${cycle[0]!.entry.name} ${steps.join(" ")}`;
}

function layersOf(
  plugins: readonly PlannedPlugin[],
  requires: ReadonlyMap<PlannedPlugin, ReadonlySet<PlannedPlugin>>,
): PlannedPlugin[][] {
  const depths = new Map<PlannedPlugin, number>();
  const depthOf = (planned: PlannedPlugin): number => {
    const known = depths.get(planned);
    if (known !== undefined) return known;
    const depth = Math.max(-1, ...[...requires.get(planned)!].map(depthOf)) + 1;
    depths.set(planned, depth);
    return depth;
  };
  const layers: PlannedPlugin[][] = [];
  for (const planned of plugins) {
    const depth = depthOf(planned);
    while (layers.length <= depth) layers.push([]);
    layers[depth]!.push(planned);
  }
  return layers;
}

const at = (entry: PluginEntry): string => (entry.where === undefined ? "" : ` (${entry.where})`);
