import type { Settings } from "../../sdk/contracts/settings.js";
import { TepuiError } from "../../sdk/errors/index.js";

export interface SettingValue {
  /** Natural form; undefined: unset. */
  readonly value: unknown;
  /** Mesos's text form; undefined: not shown in `/flags`. */
  readonly text: string | undefined;
}

/** Checked settings, with the accessors that plugins use. */
export class TypedSettings implements Settings {
  readonly flags: ReadonlyMap<string, string>;

  constructor(private readonly values: ReadonlyMap<string, SettingValue>) {
    const shown = [...values].flatMap(([name, { text }]): [string, string][] =>
      text === undefined ? [] : [[name, text]],
    );
    this.flags = new Map(shown.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get(name: string): unknown {
    return this.values.get(name)?.value;
  }

  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  string(name: string, fallback?: string): string | undefined {
    return this.typed(name, (value) => typeof value === "string", "a text") ?? fallback;
  }

  number(name: string): number | undefined;
  number(name: string, fallback: number): number;
  number(name: string, fallback?: number): number | undefined {
    return this.typed(name, (value) => typeof value === "number", "a number") ?? fallback;
  }

  boolean(name: string): boolean | undefined;
  boolean(name: string, fallback: boolean): boolean;
  boolean(name: string, fallback?: boolean): boolean | undefined {
    return this.typed(name, (value) => typeof value === "boolean", "true or false") ?? fallback;
  }

  private typed<T>(name: string, is: (value: unknown) => value is T, expected: string): T | undefined {
    const value = this.get(name);
    if (value === undefined || is(value)) return value;
    throw new TepuiError("TEPUI_SETTING_TYPE", { detail: `'${name}' is not ${expected}` });
  }
}
