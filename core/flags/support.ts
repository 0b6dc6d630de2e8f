import type { FlagSpec } from "./flag-spec.js";
import { readText } from "./read-value.js";
import type { SettingValue } from "./typed-settings.js";

/**
 * Why this value of the flag cannot be used; undefined: it can. The default is always accepted, so that command lines that spell out
 * Mesos's defaults keep working.
 */
export function objection(spec: FlagSpec, given: SettingValue): string | undefined {
  const wrong = spec.check?.(given.value);
  if (wrong !== undefined) return `${wrong}, found '${given.text}'`;
  const { support } = spec;
  if (support.kind === "setting" || same(spec, given, spec.default)) return undefined;
  if (support.kind === "refused") {
    if (support.harmless.some((text) => same(spec, given, text))) return undefined;
    const fine = spec.default === undefined ? "leave it out" : `only '${spec.default}' is accepted`;
    return `is refused: ${support.why} (${fine})`;
  }
  if (support.allowed.some((text) => same(spec, given, text) || begins(given, text))) return undefined;
  const list = support.allowed.map((text) => `'${text.replace(/\*$/, "...")}'`).join(" or ");
  const why = support.kind === "values" ? ` (${support.why})` : "";
  return `must be ${list}${why}, found '${given.text}'`;
}

/** `etcd://*` matches every value with that prefix, as in a manifest's `when`. */
function begins({ value }: SettingValue, pattern: string): boolean {
  if (!pattern.endsWith("*") || typeof value !== "string") return false;
  const start = pattern.slice(0, -1);
  return value.startsWith(start) && value.length > start.length;
}

function same(spec: FlagSpec, given: SettingValue, text: string | undefined): boolean {
  if (text === undefined || given.text === undefined) return false;
  if (given.text === text) return true;
  const read = readText(spec, text);
  return read.ok && read.value.text === given.text;
}
