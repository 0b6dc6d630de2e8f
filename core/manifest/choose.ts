import type { Target } from "../../sdk/plugin/index.js";
import { DAEMON_SETTINGS } from "../flags/daemon-flags.js";
import type { EffectiveSetting } from "../flags/effective-settings.js";
import type { ManifestPlugin } from "./format.js";

type Settings = ReadonlyMap<string, EffectiveSetting>;

/** Why the manifest leaves this plugin out; undefined when it does not. */
export function omission(plugin: ManifestPlugin, settings: Settings): string | undefined {
  if (plugin.disabled === true) return "disabled";
  for (const [name, wanted] of Object.entries(plugin.when ?? {})) {
    const allowed = [wanted].flat().map(String);
    const actual = settings.get(name)?.text ?? "";
    if (!allowed.includes(actual)) {
      return `${name} is ${actual === "" ? "not set" : `'${actual}'`}, not ${allowed.map((text) => `'${text}'`).join(" or ")}`;
    }
  }
  return undefined;
}

/** A flag that chooses plugins has no effect on a manifest that does not ask for it: that must not pass in silence. */
export function choiceProblems(options: {
  readonly target: Target;
  /** Settings by which the manifest chooses plugins. */
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
