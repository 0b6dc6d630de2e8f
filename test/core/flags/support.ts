import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the checkout, from wherever the compiled tests lie. */
const root = findRoot(dirname(fileURLToPath(import.meta.url)));

export function fixturePath(name: string): string {
  return join(root, "test/core/flags/fixtures", name);
}

function findRoot(from: string): string {
  if (existsSync(join(from, "package.json"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("no package.json above the tests");
  return findRoot(parent);
}
