import { closest } from "../kernel/closest.js";
import type { Origin } from "./assignment.js";
import type { FlagSpec } from "./flag-spec.js";
import type { GivenFlag } from "./load-flags.js";
import { readNatural, readText } from "./read-value.js";
import { objection } from "./support.js";
import type { SettingValue } from "./typed-settings.js";

/** A setting in a manifest. */
export interface ManifestSetting {
  readonly value: unknown;
  readonly origin: Origin;
}

export interface EffectiveSetting extends SettingValue {
  readonly origin: Origin;
}

export interface SettingSources {
  readonly specs: readonly FlagSpec[];
  readonly flags: ReadonlyMap<string, GivenFlag>;
  /** The manifest's `settings`, by name. */
  readonly manifest: ReadonlyMap<string, ManifestSetting>;
  /** Stand-ins for settings that have no value, so that a manifest can be checked without its flags. */
  readonly assumed?: Readonly<Record<string, string>> | undefined;
}

export interface EffectiveSettings {
  /** One for each flag of the daemon, set or not. */
  readonly settings: ReadonlyMap<string, EffectiveSetting>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const DEFAULT: Origin = { kind: "default", where: "" };

/** Merges flags (strongest), the manifest's settings and the defaults. */
export function effectiveSettings(sources: SettingSources): EffectiveSettings {
  const problems: string[] = [];
  const warnings: string[] = [];
  const settings = new Map<string, EffectiveSetting>();
  const names = sources.specs.map(({ name }) => name);
  for (const [name, { origin }] of sources.manifest) {
    if (names.includes(name)) continue;
    const guess = closest(name, names);
    problems.push(
      `${origin.where}: settings.${name}: unknown${guess === undefined ? "" : `; did you mean '${guess}'?`}`,
    );
  }
  for (const spec of sources.specs) {
    const written = sources.manifest.get(spec.name);
    const given = sources.flags.get(spec.name);
    const fromManifest = written === undefined ? undefined : readWritten(spec, written, problems, warnings);
    settings.set(
      spec.name,
      given === undefined
        ? (fromManifest ?? fallback(spec, sources.assumed))
        : { ...given.value, origin: given.origin },
    );
  }
  return { settings, problems, warnings };
}

function readWritten(
  spec: FlagSpec,
  written: ManifestSetting,
  ...[problems, warnings]: [problems: string[], warnings: string[]]
): EffectiveSetting | undefined {
  const place = `${written.origin.where}: settings.${spec.name}`;
  const read = readNatural(spec, written.value);
  if (!read.ok) {
    problems.push(`${place}: ${read.problem}`);
    return undefined;
  }
  if (read.warning !== undefined) warnings.push(read.warning);
  const against = objection(spec, read.value);
  if (against !== undefined) problems.push(`${place}: ${against}`);
  return { ...read.value, origin: written.origin };
}

function fallback(spec: FlagSpec, assumed: SettingSources["assumed"]): EffectiveSetting {
  const text = spec.default ?? assumed?.[spec.name];
  if (text === undefined) return { value: undefined, text: undefined, origin: DEFAULT };
  const read = readText(spec, text);
  if (!read.ok) throw new Error(`the default of --${spec.name} ${read.problem}`);
  return { ...read.value, origin: DEFAULT };
}
