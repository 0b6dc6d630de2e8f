import type { Contribution, RootFilesystem } from "../../sdk/contracts/contribution.js";

type Merged = { -readonly [K in keyof Contribution]: Contribution[K] };

/** Of these the later one stands. */
const SINGLE = [
  "command",
  "workingDirectory",
  "user",
  "hostname",
  "rootfs",
  "seccompFilter",
  "oomScoreAdjust",
] as const satisfies readonly (keyof Contribution)[];
const RECORDS = ["environment", "finalEnvironment", "enter", "symlinks", "rlimits", "capabilities"] as const;
/** `wrap` puts a later isolator's words inside an earlier one's. */
const LISTS = [
  "supplementaryGroups",
  "mounts",
  "deviceNodes",
  "maskedPaths",
  "readonlyPaths",
  "devices",
  "cgroups",
  "preExec",
  "wrap",
] as const satisfies readonly (keyof Contribution)[];

const RECORD_FIELDS: ReadonlySet<string> = new Set([...RECORDS, "command", "rootfs"]);
const LIST_FIELDS: ReadonlySet<string> = new Set([...LISTS, "namespaces"]);
const FIELDS: ReadonlySet<string> = new Set([...SINGLE, ...RECORDS, ...LIST_FIELDS, "noNewPrivileges"]);

/**
 * What an isolator returned, if it can be a contribution. A field that does not exist would do nothing without a word, and a value of
 * another kind would fail somewhere else. Throws an Error for both.
 */
export function checkContribution(returned: Contribution | undefined): Contribution | undefined {
  if (returned === undefined) return undefined;
  if (!isRecord(returned)) throw new Error(`it returned ${kindOf(returned)} in place of a contribution`);
  for (const [field, value] of Object.entries(returned)) {
    if (!FIELDS.has(field)) throw new Error(`it returned '${field}', which is no field of a contribution`);
    if (value === undefined) continue;
    if (LIST_FIELDS.has(field) && !Array.isArray(value))
      throw new Error(`'${field}' must be a list, not ${kindOf(value)}`);
    if (RECORD_FIELDS.has(field) && !isRecord(value))
      throw new Error(`'${field}' must be an object, not ${kindOf(value)}`);
  }
  for (const variables of [returned.environment, returned.finalEnvironment])
    for (const [name, value] of Object.entries(variables ?? {}))
      if (typeof value !== "string")
        throw new Error(`the variable ${name} must be a text, not ${kindOf(value)}`);
  return returned;
}

const isRecord = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}

/**
 * One contribution out of those of all isolators, in their order: lists are joined, records merged key by key, and of single
 * values the later one stands.
 */
export function mergeContributions(
  contributions: readonly (Contribution | undefined)[],
  rootfs?: RootFilesystem,
): Contribution {
  const merged: Merged = rootfs === undefined ? {} : { rootfs };
  for (const next of contributions) {
    if (next === undefined) continue;
    for (const field of SINGLE)
      if (next[field] !== undefined) Object.assign(merged, { [field]: next[field] });
    for (const field of RECORDS) {
      if (next[field]) Object.assign(merged, { [field]: { ...merged[field], ...next[field] } });
    }
    for (const field of LISTS) {
      if (next[field]) Object.assign(merged, { [field]: [...(merged[field] ?? []), ...next[field]] });
    }
    if (next.namespaces) merged.namespaces = [...new Set([...(merged.namespaces ?? []), ...next.namespaces])];
    // Privileges once given up stay given up.
    if (next.noNewPrivileges !== undefined) {
      merged.noNewPrivileges = merged.noNewPrivileges === true || next.noNewPrivileges;
    }
  }
  return merged;
}
