import { readFileSync } from "node:fs";
import { isAbsolute } from "node:path";
import { messageOf } from "../../sdk/errors/index.js";
import { formatBytes, formatDuration, parseBytes, parseDuration } from "../../sdk/values/index.js";
import { MASK } from "../kernel/secrets.js";
import type { FlagSpec, FlagType } from "./flag-spec.js";
import type { SettingValue } from "./typed-settings.js";

export type ReadValue =
  | { readonly ok: true; readonly value: SettingValue; readonly warning?: string }
  | { readonly ok: false; readonly problem: string };

/**
 * Parses the text of a flag according to its type. `file:///path` stands for the content of that file, except for paths. A problem is the
 * rest of a sentence that starts with the flag's name.
 */
export function readText(spec: FlagSpec, text: string): ReadValue {
  try {
    const { content, warning: oldForm } = contentOf(spec, text);
    const value = parseText(spec, content);
    const shown = SECRET.has(spec.type) && isPlace(spec, text) ? text : textOf(spec, value);
    const present = typeof value === "string" ? spec.present?.(value) : undefined;
    const warning = oldForm ?? (present?.deprecation && `--${spec.name}: ${present.deprecation}`);
    return {
      ok: true,
      value: { value: present?.text ?? value, text: shown },
      ...(warning === undefined ? {} : { warning }),
    };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

/** Parses a value from a manifest: either text as above, or the natural form (a number of milliseconds or bytes, an object). */
export function readNatural(spec: FlagSpec, value: unknown): ReadValue {
  if (typeof value === "string") return readText(spec, value);
  if (spec.type === "string-set" && Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return readText(spec, value.join(","));
  }
  if (JSON_TYPES.has(spec.type)) return readText(spec, JSON.stringify(value) ?? "");
  if (typeof value === "number" && (spec.type === "duration" || spec.type === "bytes")) {
    if (!(value >= 0)) return { ok: false, problem: `must not be negative, found ${value}` };
    return { ok: true, value: { value, text: textOf(spec, value) } };
  }
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint") {
    return readText(spec, String(value));
  }
  return { ok: false, problem: `must be ${EXPECTED[spec.type]}, found ${JSON.stringify(value)}` };
}

/** The text form in which Mesos prints a value of this type. */
function textOf(spec: FlagSpec, value: unknown): string {
  switch (spec.type) {
    case "duration":
      return formatDuration(value as number);
    case "bytes":
      return formatBytes(value as number);
    case "double":
      return String(Number((value as number).toPrecision(15)));
    case "string-set":
      return `{ ${(value as string[]).join(", ")} }`;
    case "json":
    case "json-object":
      return JSON.stringify(value);
    case "secret-json":
      return MASK;
    default:
      return String(value);
  }
}

const EXPECTED: Readonly<Record<FlagSpec["type"], string>> = {
  bool: "true or false",
  string: "a text",
  path: "a path",
  int: "an integer",
  uint: "an integer, 0 or more",
  uint16: "an integer, 0 to 65535",
  double: "a number",
  duration: "a duration such as 10secs",
  bytes: "a size such as 64MB",
  "string-set": "names separated by commas",
  "json-object": "a JSON object",
  json: "JSON",
  "secret-text": "a text",
  "secret-json": "a JSON object",
};

const SECRET: ReadonlySet<FlagType> = new Set(["secret-text", "secret-json"]);
const JSON_TYPES: ReadonlySet<FlagType> = new Set(["json", "json-object", "secret-json"]);

/** Whether the text names a file that contains the value. */
const isPlace = (spec: FlagSpec, text: string): boolean =>
  text.startsWith("file://") || (JSON_TYPES.has(spec.type) && isAbsolute(text));

class Problem extends Error {}

function problemOf(error: unknown): string {
  return error instanceof Problem
    ? error.message
    : messageOf(error).replace(/^A value has the wrong form: /, "has a wrong value: ");
}

function contentOf(spec: FlagSpec, text: string): { content: string; warning?: string } {
  if (spec.type === "path") return { content: text };
  if (text.startsWith("file://")) return { content: readValueFile(text.slice("file://".length)) };
  if (isPlace(spec, text)) {
    return {
      content: readValueFile(text),
      warning: `--${spec.name}: a path without file:// is deprecated; write --${spec.name}=file://${text}`,
    };
  }
  return { content: text };
}

function readValueFile(path: string): string {
  try {
    // A file ends with a newline, its value does not.
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new Problem(`cannot be read from its file: ${messageOf(error)}`);
  }
}

function parseText(spec: FlagSpec, text: string): unknown {
  const expected = (): Problem => new Problem(`must be ${EXPECTED[spec.type]}, found '${text}'`);
  switch (spec.type) {
    case "bool":
      if (text === "true" || text === "1") return true;
      if (text === "false" || text === "0") return false;
      throw expected();
    case "int":
    case "uint":
    case "uint16": {
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) throw expected();
      if (spec.type !== "int" && value < 0) throw expected();
      if (spec.type === "uint16" && value > 65_535) throw expected();
      return value;
    }
    case "double": {
      const value = Number(text);
      if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) || !Number.isFinite(value)) throw expected();
      return value;
    }
    case "duration":
      return parseDuration(text);
    case "bytes":
      return parseBytes(text);
    case "string-set":
      return [...new Set(text.split(",").filter(Boolean))].sort();
    case "json":
    case "json-object":
    case "secret-json":
      return parseJson(spec, text);
    default:
      return text;
  }
}

function parseJson(spec: FlagSpec, text: string): unknown {
  const secret = SECRET.has(spec.type);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the input.
    throw new Problem(secret ? "is not JSON" : `is not JSON: ${messageOf(error)}`);
  }
  if (spec.type !== "json" && (typeof value !== "object" || value === null || Array.isArray(value))) {
    throw new Problem(secret ? "must be a JSON object" : `must be a JSON object, found ${text}`);
  }
  return value;
}
