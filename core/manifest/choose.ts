import type { Target } from "../../sdk/plugin/index.js";
import { DAEMON_SETTINGS } from "../flags/daemon-flags.js";
import type { EffectiveSetting } from "../flags/effective-settings.js";
import { maskSecrets } from "../kernel/secrets.js";
import type { ManifestPlugin } from "./format.js";

type Settings = ReadonlyMap<string, EffectiveSetting>;

/** Why the manifest leaves this plugin out; undefined: it does not. */
export function omission(plugin: ManifestPlugin, settings: Settings): string | undefined {
  if (plugin.disabled === true) return "disabled";
  for (const [name, wanted] of Object.entries(plugin.when ?? {})) {
    const allowed = [wanted].flat().map(String);
    const actual = textOf(settings.get(name));
    if (!allowed.some((pattern) => matches(pattern, actual))) {
      const shown = actual === "" ? "not set" : `'${maskSecrets(actual, undefined)}'`;
      return `${name} is ${shown}, not ${allowed.map((text) => `'${text}'`).join(" or ")}`;
    }
  }
  return undefined;
}

/** If the setting names a file, its content counts. */
function textOf(setting: EffectiveSetting | undefined): string {
  const { text = "", value } = setting ?? {};
  return text.startsWith("file://") && typeof value === "string" ? value : text;
}

/** A final `*` stands for one or more characters, so `*` alone matches any value; a leading `!` negates. */
function matches(pattern: string, actual: string): boolean {
  if (pattern.startsWith("!")) return !matches(pattern.slice(1), actual);
  if (!pattern.endsWith("*")) return pattern === actual;
  const start = pattern.slice(0, -1);
  return actual.startsWith(start) && actual.length > start.length;
}

/** A flag that selects plugins has no effect if the manifest does not refer to it: that must not go unnoticed. */
export function choiceProblems(options: {
  readonly target: Target;
  /** Settings by which the manifest selects plugins. */
  readonly chosenBy: ReadonlySet<string>;
  readonly settings: Settings;
}): string[] {
  return DAEMON_SETTINGS[options.target].flatMap(({ name, support }) => {
    const setting = options.settings.get(name);
    if (support.kind !== "choice" || options.chosenBy.has(name) || setting?.origin.kind === "default")
      return [];
    return [
      `${setting?.origin.where}: ${name}: has no effect, because no plugin of the manifest is chosen by it (when)`,
    ];
  });
}
