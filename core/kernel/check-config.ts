import type { z } from "zod";
import { closest } from "./closest.js";
import type { PluginEntry } from "./plugin-entry.js";
import { isSecretPath } from "./secrets.js";

export type CheckedConfig =
  | { readonly config: unknown; readonly problems?: undefined }
  | {
      readonly problems: readonly string[];
      /** Flags that are unset but required by the plugin. */
      readonly lacking?: readonly string[];
    };

type Issue = z.core.$ZodIssue;

/** Validates a plugin's part of the manifest with its schema. Each problem names place, plugin, field, and the expected and actual value. */
export function checkConfig(entry: PluginEntry): CheckedConfig {
  const raw = entry.config ?? {};
  const schema = entry.definition.config;
  if (schema === undefined) {
    const given = typeof raw === "object" ? Object.keys(raw) : ["config"];
    if (given.length === 0) return { config: undefined };
    const place = entry.locate?.([]) ?? entry.where;
    const prefix = place === undefined ? "" : `${place}: `;
    return {
      problems: [`${prefix}plugin '${entry.name}' takes no configuration, found ${given.join(", ")}`],
    };
  }
  const result = schema.safeParse(raw);
  if (result.success) return { config: result.data };
  const { issues } = result.error;
  const isLacking = ({ path }: Issue): boolean =>
    path.length === 1 && valueAt(raw, path) === undefined && entry.unsetFlags?.has(String(path[0])) === true;
  return {
    lacking: issues.filter(isLacking).map(({ path }) => String(path[0])),
    problems: issues
      .filter((issue) => !isLacking(issue))
      .flatMap((issue) => describeIssue(entry, raw, issue)),
  };
}

function describeIssue(entry: PluginEntry, raw: unknown, issue: Issue): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const known = knownFields(entry.definition.config, issue.path);
      const guess = closest(key, known);
      const fields = known.length === 0 ? "it takes no fields" : `known fields: ${known.join(", ")}`;
      const advice = guess === undefined ? fields : `did you mean '${guess}'?`;
      return `${prefix(entry, path)}: unknown field; ${advice}`;
    });
  }
  const found = valueAt(raw, issue.path);
  const secret = found !== undefined && isSecretPath(issue.path, entry.definition.config);
  return [`${prefix(entry, issue.path)}: ${expectation(issue)}${secret ? "" : `, found ${show(found)}`}`];
}

function prefix(entry: PluginEntry, path: readonly PropertyKey[]): string {
  const place = entry.locate?.(path) ?? entry.where;
  const field = path.length === 0 ? "config" : `config.${pathText(path)}`;
  return `${place === undefined ? "" : `${place}: `}plugin '${entry.name}': ${field}`;
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "invalid_value":
      return issue.values.length === 1
        ? `expected ${show(issue.values[0])}`
        : `expected one of ${issue.values.map(show).join(", ")}`;
    case "invalid_union": {
      const branches = issue.errors.flat().map(expectation);
      return branches.length === 0 ? lowerFirst(issue.message) : [...new Set(branches)].join(", or ");
    }
    default:
      return lowerFirst(issue.message);
  }
}

/** `a.b[0].c` */
export function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function knownFields(schema: z.ZodType | undefined, path: readonly PropertyKey[]): string[] {
  let current: unknown = schema;
  for (const key of path) {
    const def = definitionOf(current);
    current = typeof key === "number" ? def?.element : (def?.shape?.[String(key)] ?? def?.valueType);
  }
  return Object.keys(definitionOf(current)?.shape ?? {});
}

/** The top-level fields of a plugin's schema. */
export function configFields(schema: z.ZodType | undefined): string[] {
  return knownFields(schema, []);
}

interface Definition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly innerType?: unknown;
  readonly in?: unknown;
}

function definitionOf(schema: unknown): Definition | undefined {
  let def = (schema as { def?: Definition } | undefined)?.def;
  for (let inner = def?.innerType ?? def?.in; inner !== undefined; inner = def?.innerType ?? def?.in) {
    def = (inner as { def?: Definition }).def;
  }
  return def;
}

function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "bigint") return value.toString();
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
