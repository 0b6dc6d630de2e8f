// The layers of the tree: proto <- sdk <- {core, plugins, frameworks} <- bin. A file may import from its own layer and from those listed.
// Plugins do not import each other: what two of them share is a contract in sdk.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, sep } from "node:path";
import { root } from "./steps.mjs";

const allowed = {
  proto: [],
  sdk: ["proto"],
  core: ["proto", "sdk"],
  plugins: ["proto", "sdk"],
  frameworks: ["proto", "sdk"],
  examples: [],
  bin: ["proto", "sdk", "core", "plugins", "frameworks"],
};
/** The one list of what ships reads every plugin. */
const shippedList = join("plugins", "index.ts");

export function violations(readTree = sources) {
  const found = [];
  for (const [path, text] of readTree()) {
    const [layer, part] = path.split(sep);
    for (const target of importsOf(path, text)) {
      const [targetLayer, targetPart] = target.split(sep);
      if (targetLayer === layer) {
        if (layer === "plugins" && path !== shippedList && targetPart !== part) {
          found.push(`${path}: imports another plugin (${target}); share a contract in sdk instead`);
        }
      } else if (!allowed[layer]?.includes(targetLayer)) {
        found.push(`${path}: ${layer} must not import ${targetLayer} (${target})`);
      }
    }
  }
  return found;
}

function importsOf(path, text) {
  const targets = [];
  for (const match of text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"(\.[^"]+)"/gm)) {
    targets.push(normalize(join(dirname(path), match[1])));
  }
  return targets;
}

function* sources() {
  for (const layer of Object.keys(allowed)) yield* walk(layer);
}

function* walk(folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (path === join("proto", "gen")) continue;
    if (entry.isDirectory()) yield* walk(path);
    else if (path.endsWith(".ts")) yield [path, readFileSync(join(root, path), "utf8")];
  }
}

if (relative(process.argv[1] ?? "", import.meta.filename) === "") {
  const found = violations();
  for (const line of found) process.stdout.write(`${line}\n`);
  process.exitCode = found.length === 0 ? 0 : 1;
}
