/** How the text of a flag is read. */
export type FlagType =
  | "bool"
  | "string"
  /** A text that stays a path: `file://` is not followed. */
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
  /** A text that may hold a password: `file://` is followed, and `/flags` shows only the path. */
  | "secret-text"
  /** A JSON object that holds passwords: as `json-object`, but neither `/flags` nor an error repeats anything of it. */
  | "secret-json";

/** What becomes of the flag. */
export type Support =
  /** It is the daemon's setting of the same name. */
  | { readonly kind: "setting" }
  /** A setting with these values only. `why` says what is the matter with the others. */
  | { readonly kind: "values"; readonly allowed: readonly string[]; readonly why: string }
  /** A setting by which the manifest chooses plugins (`when`), with these values only. */
  | { readonly kind: "choice"; readonly allowed: readonly string[] }
  /** Its feature is not there: any value but the default and those in `harmless` is refused with the reason. */
  | { readonly kind: "refused"; readonly why: string; readonly harmless: readonly string[] };

/** One flag of Mesos. */
export interface FlagSpec {
  /** Without dashes, lower case. */
  readonly name: string;
  readonly type: FlagType;
  /** In text form; undefined: not set. */
  readonly default: string | undefined;
  readonly support: Support;
  /** One or two sentences, for --help and the documentation. */
  readonly meaning: string;
  /** Older name, still understood with a warning. */
  readonly alias?: string;
  /** For the documentation: the plugins that ship cannot do without it. */
  readonly required?: boolean;
  /** Where upstream has the flag: `Linux`, `POSIX`, or a kind of build. */
  readonly condition?: string;
  /** Says what is wrong with a value of the right type; undefined when nothing is. */
  readonly check?: (value: unknown) => string | undefined;
  /** Puts words of today in the place of old ones; what `/flags` answers stays as it was given. For texts. */
  readonly present?: (text: string) => PresentText;
}

export interface PresentText {
  readonly text: string;
  /** For the log: what is old. */
  readonly deprecation: string | undefined;
}

/** The older names and the extras of a row. */
export type FlagExtras = Pick<FlagSpec, "alias" | "required" | "condition" | "check" | "present">;

/** Its feature is there. */
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
