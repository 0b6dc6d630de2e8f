import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { PluginSource } from "../../sdk/contracts/plugin-directory.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { PluginDefinition } from "../../sdk/plugin/index.js";
import { type Duration, formatDuration } from "../../sdk/values/duration.js";
import { isPluginDefinition } from "../kernel/check-definition.js";
import { closest } from "../kernel/closest.js";
import { lendOwnSdk } from "./lend-sdk.js";

/** The shipped plugins by short name; each is only loaded when it is used. */
export type ShippedPlugins = Readonly<Record<string, () => Promise<{ readonly default: PluginDefinition }>>>;

export type LoadedDefinition =
  | { readonly ok: true; readonly definition: PluginDefinition; readonly source: PluginSource }
  | { readonly ok: false; readonly problem: string };

export interface LoadOptions {
  readonly shipped: ShippedPlugins;
  /** Where paths start, and packages are looked for. */
  readonly folder: string;
  /** How long a module outside of this package may take; half a minute. */
  readonly limit?: Duration;
}

const LOAD_LIMIT_MS = 30_000;

/** Loads what `use` names: a shipped plugin, a file, or a package that can be resolved from `folder`. */
export async function loadDefinition(
  use: string,
  { shipped, folder, limit = LOAD_LIMIT_MS }: LoadOptions,
): Promise<LoadedDefinition> {
  const own = Object.hasOwn(shipped, use) ? shipped[use] : undefined;
  if (own !== undefined) return load(own, { kind: "shipped", location: use });
  if (/^\.{0,2}\//.test(use) || isAbsolute(use)) {
    const file = moduleFile(resolve(folder, use));
    if (file === undefined) return { ok: false, problem: `there is no file ${resolve(folder, use)}` };
    return load(() => importFile(file, limit), { kind: "path", location: file });
  }
  const entry = packageEntry(use, folder);
  if (typeof entry === "string")
    return load(() => importFile(entry, limit), { kind: "package", location: use });
  if (entry !== undefined) return { ok: false, problem: entry.problem };
  const guess = closest(use, Object.keys(shipped));
  const advice = guess === undefined ? "" : `; did you mean '${guess}'?`;
  return {
    ok: false,
    problem: `it is neither a shipped plugin nor a package installed above ${folder}${advice}`,
  };
}

async function load(importModule: () => Promise<unknown>, source: PluginSource): Promise<LoadedDefinition> {
  let module: unknown;
  try {
    module = await importModule();
  } catch (error) {
    return { ok: false, problem: `it cannot be loaded: ${messageOf(error)}${loadAdvice(error)}` };
  }
  const exported = (module as { default?: unknown }).default;
  // A CommonJS module compiled from ESM has its default export one level down.
  const candidates = [exported, (exported as { default?: unknown } | undefined)?.default];
  const definition = candidates.find(isPluginDefinition);
  if (definition === undefined)
    return { ok: false, problem: "its default export is not a plugin made by definePlugin" };
  return { ok: true, definition, source };
}

/** Advice for mistakes that are typical of a first plugin. */
function loadAdvice(error: unknown): string {
  if (
    error instanceof SyntaxError &&
    /import statement outside a module|Unexpected token 'export'/.test(error.message)
  )
    return '; name the file .mjs, or put "type": "module" into the package.json above it';
  const { code } = error as { readonly code?: unknown };
  return code === "ERR_UNKNOWN_FILE_EXTENSION" ? "; compile it, and name the JavaScript file" : "";
}

async function importFile(file: string, limit: Duration): Promise<unknown> {
  lendOwnSdk(file);
  // Without a timer Node would end, and say nothing, when a module waits for what never comes.
  const late = new AbortController();
  const givenUp = sleep(limit, undefined, { signal: late.signal }).then(() => {
    throw new Error(`it waits for something at its top level, for more than ${formatDuration(limit)}`);
  });
  try {
    return await Promise.race([import(pathToFileURL(file).href), givenUp]);
  } finally {
    late.abort();
  }
}

function moduleFile(path: string): string | undefined {
  const candidates = [path, join(path, "index.js"), join(path, "index.mjs")];
  return candidates.find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
}

type Exports = string | null | readonly Exports[] | { readonly [key: string]: Exports };

/**
 * The file that `import` of the package would load, resolved from the manifest's directory rather than from this program's, because that is
 * where the user installs plugins. Undefined: not installed.
 */
function packageEntry(specifier: string, folder: string): string | { readonly problem: string } | undefined {
  const match = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier);
  if (match === null) return undefined;
  const [, name, subpath] = match;
  const root = findPackage(name!, folder);
  if (root === undefined) return undefined;
  try {
    const description = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly exports?: Exports;
      readonly main?: string;
    };
    const target =
      description.exports === undefined
        ? `.${subpath ?? `/${description.main ?? "index.js"}`}`
        : exported(description.exports, `.${subpath ?? ""}`);
    const file = target === undefined ? undefined : moduleFile(resolve(root, target));
    if (file === undefined) return { problem: `the package in ${root} exports no such module` };
    const inside = relative(root, file);
    return inside.startsWith("..")
      ? { problem: `the package in ${root} points outside of itself` }
      : realpathSync(file);
  } catch (error) {
    return { problem: `the package in ${root} cannot be read: ${messageOf(error)}` };
  }
}

function findPackage(name: string, folder: string): string | undefined {
  for (let current = folder; ; current = dirname(current)) {
    const candidate = join(current, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return candidate;
    if (current === dirname(current)) return undefined;
  }
}

const CONDITIONS = ["node", "import", "module-sync", "default"];

function exported(exports: Exports, subpath: string): string | undefined {
  if (typeof exports === "object" && exports !== null && !Array.isArray(exports)) {
    const keys = Object.keys(exports);
    if (keys.some((key) => key.startsWith("."))) {
      return condition((exports as { readonly [key: string]: Exports })[subpath]);
    }
  }
  return subpath === "." ? condition(exports) : undefined;
}

function condition(exports: Exports | undefined): string | undefined {
  if (typeof exports === "string") return exports;
  if (exports === undefined || exports === null) return undefined;
  if (Array.isArray(exports)) return exports.map(condition).find((file) => file !== undefined);
  for (const [key, value] of Object.entries(exports)) {
    const file = CONDITIONS.includes(key) ? condition(value as Exports) : undefined;
    if (file !== undefined) return file;
  }
  return undefined;
}
