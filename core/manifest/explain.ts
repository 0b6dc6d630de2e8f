import { Document, isMap, isPair, isScalar, isSeq, type Node } from "yaml";
import type { Origin } from "../flags/assignment.js";
import { checkConfig } from "../kernel/check-config.js";
import { maskSecrets } from "../kernel/secrets.js";
import type { LoadedManifest } from "./load-manifest.js";
import type { ManifestEntry } from "./plugin-loader.js";
import { pathKey } from "./references.js";

/** One value of the effective manifest. */
export interface ExplainedValue {
  /** `["settings", "port"]`, `["plugins", "http-server", "config", "ip"]` */
  readonly path: readonly PropertyKey[];
  /** Secrets are masked. */
  readonly value: unknown;
  readonly origin: Origin;
}

const DEFAULT: Origin = { kind: "default", where: "" };

/** Every setting that has a value, in text form, and every config value of every plugin, with its origin. */
export function explain(manifest: LoadedManifest): ExplainedValue[] {
  const settings = [...manifest.settings].flatMap(([name, { text, origin }]): ExplainedValue[] =>
    text === undefined ? [] : [{ path: ["settings", name], value: maskSecrets(text, undefined), origin }],
  );
  return [...settings, ...manifest.plugins.flatMap(explainPlugin)];
}

function explainPlugin({ entry, origins }: ManifestEntry): ExplainedValue[] {
  const checked = checkConfig(entry);
  const config = checked.problems === undefined ? checked.config : entry.config;
  const masked = maskSecrets(config, entry.definition.config);
  return leaves(masked, []).map(({ path, value }) => ({
    path: ["plugins", entry.name, "config", ...path],
    value,
    origin: nearest(origins, path),
  }));
}

/** The origin of the value itself or of the field around it; otherwise it is the schema's default. */
function nearest(origins: ReadonlyMap<string, Origin>, path: readonly PropertyKey[]): Origin {
  for (let length = path.length; length > 0; length--) {
    const origin = origins.get(pathKey(path.slice(0, length)));
    if (origin !== undefined) return origin;
  }
  return DEFAULT;
}

function leaves(
  value: unknown,
  path: readonly PropertyKey[],
): { path: readonly PropertyKey[]; value: unknown }[] {
  if (typeof value !== "object" || value === null) return value === undefined ? [] : [{ path, value }];
  const entries: [PropertyKey, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  if (entries.length === 0) return path.length === 0 ? [] : [{ path, value }];
  return entries.flatMap(([key, item]) => leaves(item, [...path, key]));
}

/** An origin as a comment. */
export function originText({ kind, where }: Origin): string {
  return kind === "default" ? "default" : where;
}

/** The effective manifest as YAML, with the origin of each value in a comment. Settings at their default only appear with `all`. */
export function explainYaml(manifest: LoadedManifest, { all = false } = {}): string {
  const explained = explain(manifest);
  const settings = explained.filter(
    ({ path, origin }) => path[0] === "settings" && (all || origin.kind !== "default"),
  );
  const document = new Document({
    target: manifest.target,
    plugins: manifest.plugins.map(({ entry }) => describeEntry(entry.name, manifest, explained)),
    settings: Object.fromEntries(settings.map(({ path, value }) => [path[1], value])),
  });
  const origins = new Map(explained.map(({ path, origin }) => [pathKey(path), origin]));
  const names = manifest.plugins.map(({ entry }) => entry.name);
  annotate(document.contents, [], (path) => {
    const [part, index, ...rest] = path;
    const named = part === "plugins" ? [part, names[Number(index)]!, ...rest] : path;
    const origin = origins.get(pathKey(named));
    return origin === undefined ? undefined : ` ${originText(origin)}`;
  });
  for (const [index, { entry }] of manifest.plugins.entries()) {
    const use = document.getIn(["plugins", index, "use"], true);
    if (isScalar(use)) use.comment = ` ${entry.source.kind}, ${entry.where}`;
  }
  const omitted = manifest.omitted.map(({ name, where, why }) => ` left out: ${name} (${where}): ${why}`);
  document.comment = omitted.length === 0 ? null : omitted.join("\n");
  return document.toString({ lineWidth: 0 });
}

function describeEntry(
  name: string,
  manifest: LoadedManifest,
  explained: readonly ExplainedValue[],
): unknown {
  const { entry } = manifest.plugins.find((plugin) => plugin.entry.name === name)!;
  const config: Record<PropertyKey, unknown> = {};
  for (const { path, value } of explained) {
    if (path[0] === "plugins" && path[1] === name) put(config, path.slice(3), value);
  }
  return {
    use: entry.source.location,
    ...(entry.name === entry.definition.name ? {} : { as: entry.name }),
    ...(Object.keys(config).length === 0 ? {} : { config }),
    ...(entry.failure === undefined ? {} : { failure: entry.failure }),
    ...(entry.startTimeout === undefined ? {} : { startTimeout: entry.startTimeout }),
    ...(entry.stopTimeout === undefined ? {} : { stopTimeout: entry.stopTimeout }),
  };
}

/** Rebuilds nested data from its leaves. */
function put(target: Record<PropertyKey, unknown>, path: readonly PropertyKey[], value: unknown): void {
  const [key, next] = path;
  if (key === undefined) return;
  if (next === undefined) {
    target[key] = value;
    return;
  }
  target[key] ??= typeof next === "number" ? [] : {};
  put(target[key] as Record<PropertyKey, unknown>, path.slice(1), value);
}

function annotate(
  node: Node | null,
  path: readonly PropertyKey[],
  comment: (path: readonly PropertyKey[]) => string | undefined,
): void {
  if (isScalar(node)) {
    const text = comment(path);
    if (text !== undefined) node.comment = text;
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) annotate(item as Node, [...path, index], comment);
  } else if (isMap(node)) {
    for (const pair of node.items) {
      if (isPair(pair) && isScalar(pair.key))
        annotate(pair.value as Node, [...path, String(pair.key.value)], comment);
    }
  }
}
