import type { z } from "zod";
import type { Target } from "../../sdk/plugin/index.js";
import { pathText } from "../kernel/check-config.js";
import { closest } from "../kernel/closest.js";
import { type ManifestPlugin, manifestSchema, pluginSchema } from "./format.js";
import type { ManifestSource } from "./source.js";

/** The parts of a manifest that are well-formed. */
export interface Outline {
  readonly target: Target | undefined;
  /** `agent`, `master` or the path of another manifest, which this one modifies. */
  readonly extends: string | undefined;
  readonly settings: Readonly<Record<string, unknown>>;
  /** As written: references are resolved before a plugin's fields are checked. */
  readonly plugins: readonly unknown[];
}

/** Checks the form of the file. Returns the valid parts along with the problems, so that later checks can find more. */
export function checkOutline(source: ManifestSource): { outline: Outline; problems: string[] } {
  const empty: Outline = { target: undefined, extends: undefined, settings: {}, plugins: [] };
  if (source.problems.length > 0) return { outline: empty, problems: [] };
  if (!isMap(source.data)) {
    return {
      outline: empty,
      problems: [`${source.where([])}: a manifest has the fields target and plugins`],
    };
  }
  const { target, extends: base, settings, plugins } = source.data;
  // The items of the list are checked one by one later.
  const form = Array.isArray(plugins) ? { ...source.data, plugins: [] } : source.data;
  const parsed = manifestSchema.safeParse(form);
  const problems = parsed.success
    ? []
    : problemsOf(parsed.error, { source, base: [], schema: manifestSchema });
  if (plugins === undefined && base === undefined) {
    problems.push(
      `${source.where([])}: plugins: a manifest lists its plugins, unless it extends another one`,
    );
  }
  return {
    outline: {
      target: target === "master" || target === "agent" ? target : undefined,
      extends: typeof base === "string" ? base : undefined,
      settings: isMap(settings) ? settings : {},
      plugins: Array.isArray(plugins) ? plugins : [],
    },
    problems,
  };
}

export type CheckedPlugin =
  | { readonly plugin: ManifestPlugin; readonly problems?: undefined }
  | { readonly plugin?: undefined; readonly problems: readonly string[] };

/** Checks one item of the list of plugins, with its references resolved. */
export function checkPlugin(source: ManifestSource, item: unknown, index: number): CheckedPlugin {
  const parsed = pluginSchema.safeParse(typeof item === "string" ? { use: item } : item);
  if (parsed.success) return { plugin: parsed.data };
  return { problems: problemsOf(parsed.error, { source, base: ["plugins", index], schema: pluginSchema }) };
}

interface Place {
  readonly source: ManifestSource;
  readonly base: readonly PropertyKey[];
  readonly schema: z.ZodObject;
}

function problemsOf(error: z.ZodError, { source, base, schema }: Place): string[] {
  return error.issues.flatMap((issue) =>
    describe(source, { ...issue, path: [...base, ...issue.path] }, schema),
  );
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function describe(source: ManifestSource, issue: z.core.$ZodIssue, schema: z.ZodObject): string[] {
  const place = (path: readonly PropertyKey[]): string => {
    const field = pathText(path);
    return field === "" ? source.where(path) : `${source.where(path)}: ${field}`;
  };
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const known = Object.keys(schema.shape).filter((name) => name !== "$schema");
      const guess = closest(key, known);
      const advice = guess === undefined ? `known fields: ${known.join(", ")}` : `did you mean '${guess}'?`;
      return `${place([...issue.path, key])}: unknown field; ${advice}`;
    });
  }
  return [`${place(issue.path)}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`];
}
