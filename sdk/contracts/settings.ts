import { extensionPoint } from "../plugin/extension-point.js";

/**
 * The daemon's own settings, by Mesos flag name (`work_dir`, `agent_ping_timeout`), wherever they came from: default,
 * manifest, flag, environment or flag file. They were checked before any plugin is set up, and have their natural form:
 * durations are milliseconds, sizes are bytes, JSON is parsed, a set is an array of strings, a path or text a string.
 *
 * The accessors throw TepuiError TEPUI_SETTING_TYPE when the setting has another type than asked for.
 */
export interface Settings {
  /** The value in its natural form; undefined when it is not set and has no default. */
  get(name: string): unknown;
  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  number(name: string): number | undefined;
  number(name: string, fallback: number): number;
  boolean(name: string): boolean | undefined;
  boolean(name: string, fallback: boolean): boolean;
  /** Every setting that has a value, sorted by name, in Mesos's text form: what `/flags` answers. */
  readonly flags: ReadonlyMap<string, string>;
}

export const Settings = extensionPoint<Settings, "one">("tepui.settings", {
  version: "1.0",
  cardinality: "one",
});
