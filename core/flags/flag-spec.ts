/** How the text of a flag is parsed. */
export type FlagType =
  | "bool"
  | "string"
  /** A text that stays a path: `file://` is not resolved. */
  | "path"
  | "int"
  | "uint"
  | "uint16"
  | "double"
  | "duration"
  | "bytes"
  | "string-set"
  | "json-object"
  | "json"
  /** A text that may contain a password: `file://` is resolved, but `/flags` only shows the path. */
  | "secret-text"
  /** A JSON object that contains passwords: like `json-object`, but neither `/flags` nor an error repeats any of it. */
  | "secret-json";

/** How the flag is supported. */
export type Support =
  /** It is the daemon's setting of the same name. */
  | { readonly kind: "setting" }
  /** A setting that only works with these values. `why` explains what is wrong with the others. */
  | { readonly kind: "values"; readonly allowed: readonly string[]; readonly why: string }
  /** A setting by which the manifest selects plugins (`when`); only these values. */
  | { readonly kind: "choice"; readonly allowed: readonly string[] }
  /** The feature does not exist: any value except the default and those in `harmless` is refused with the reason. */
  | { readonly kind: "refused"; readonly why: string; readonly harmless: readonly string[] };

/** One flag of Mesos. */
export interface FlagSpec {
  /** Without dashes, lower case. */
  readonly name: string;
  readonly type: FlagType;
  /** In text form; undefined: unset. */
  readonly default: string | undefined;
  readonly support: Support;
  /** One or two sentences, for --help and the documentation. */
  readonly meaning: string;
  /** An older name, still accepted with a warning. */
  readonly alias?: string;
  /** For the documentation: the shipped plugins require it. */
  readonly required?: boolean;
  /** Where Mesos has the flag: `Linux`, `POSIX`, or a kind of build. */
  readonly condition?: string;
  /** Returns what is wrong with a value of the right type; undefined: nothing. */
  readonly check?: (value: unknown) => string | undefined;
  /** For texts: replaces outdated terms with current ones. `/flags` still answers what was given. */
  readonly present?: (text: string) => PresentText;
}

export interface PresentText {
  readonly text: string;
  /** What is outdated, for the log. */
  readonly deprecation: string | undefined;
}

/** The optional columns of a row. */
export type FlagExtras = Pick<FlagSpec, "alias" | "required" | "condition" | "check" | "present">;

/** The feature exists. */
export const setting: Support = { kind: "setting" };

export const values = (allowed: readonly string[], why: string): Support => ({
  kind: "values",
  allowed,
  why,
});

export const choice = (...allowed: readonly string[]): Support => ({ kind: "choice", allowed });

export const refused = (why: string, ...harmless: readonly string[]): Support => ({
  kind: "refused",
  why,
  harmless,
});

/** One row of a table: name, type, default, support, meaning, extras. */
export function flag(
  ...[name, type, fallback, support, meaning, extras]: [
    name: string,
    type: FlagType,
    fallback: string | undefined,
    support: Support,
    meaning: string,
    extras?: FlagExtras,
  ]
): FlagSpec {
  return { name, type, default: fallback, support, meaning, ...extras };
}
