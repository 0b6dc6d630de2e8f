import { existsSync } from "node:fs";
import { register } from "node:module";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../flags/package-root.js";

/**
 * A loader hook that resolves `tepui` to this package for modules that cannot resolve it themselves. It receives this package's URL,
 * because an import from within the package resolves by name.
 */
const HOOK = `
let own;
export function initialize(data) { own = data.own; }
export async function resolve(specifier, context, next) {
  if (!/^tepui(\\/|$)/.test(specifier)) return next(specifier, context);
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
    return next(specifier, { ...context, parentURL: own });
  }
}`;

let lent = false;

/**
 * Lets a plugin in a directory of its own, without node_modules, import `tepui/sdk`: it gets that of the program that loads it. Does
 * nothing for a plugin that has its own.
 */
export function lendOwnSdk(file: string): void {
  if (lent || file.startsWith(packageRoot + sep) || hasOwn(dirname(file))) return;
  lent = true;
  const own = pathToFileURL(join(packageRoot, "package.json")).href;
  register(`data:text/javascript,${encodeURIComponent(HOOK)}`, { parentURL: own, data: { own } });
}

function hasOwn(folder: string): boolean {
  if (existsSync(join(folder, "node_modules", "tepui", "package.json"))) return true;
  return folder !== dirname(folder) && hasOwn(dirname(folder));
}
