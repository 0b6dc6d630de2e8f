// The layers of the tree: proto <- sdk <- {core, plugins, frameworks} <- bin. A file may import from its own layer and from those listed.
// Plugins do not import each other: what two of them share is a contract in sdk. Nor has a plugin that ships a private door: whatever it
// takes from the sdk, `tepui/sdk` or `tepui/sdk/<folder>` has for everybody.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
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
/** Loads every package of messages: for tests. A daemon or a command would wait for what it does not use. */
const allMessages = join("proto", "json", "index.js");
/** The one list of what ships reads every plugin. */
const shippedList = join("plugins", "index.ts");

function violations() {
  const found = [];
  for (const [path, text] of sources()) {
    const [layer, part] = path.split(sep);
    if (layer === "plugins") found.push(...privateDoors(path, text));
    for (const target of importsOf(path, text)) {
      const [targetLayer, targetPart] = target.split(sep);
      if (target === allMessages)
        found.push(`${path}: imports every message (${target}); take the codecs from proto/gen/json`);
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

/** What a plugin takes from a folder of the sdk that neither the folder's index nor the one of the sdk exports. */
function privateDoors(path, text) {
  const found = [];
  for (const [, list, from] of text.matchAll(/\bimport\s+(?:type\s+)?\{([^}]*)\}\s+from\s+"(\.[^"]+)"/g)) {
    const [layer, folder] = normalize(join(dirname(path), from)).split(sep);
    if (layer !== "sdk") continue;
    const open = new Set([...exportsOf("sdk"), ...exportsOf(join("sdk", folder))]);
    for (const name of namesOf(list, 0)) {
      if (!open.has(name))
        found.push(
          `${path}: ${name} is in no index of the sdk, so that no plugin outside of this tree can have it`,
        );
    }
  }
  return found;
}

const indexes = new Map();

function exportsOf(folder) {
  if (!indexes.has(folder)) {
    const file = join(root, folder, "index.ts");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    indexes.set(
      folder,
      [...text.matchAll(/\bexport\s+(?:type\s+)?\{([^}]*)\}/g)].flatMap(([, list]) => namesOf(list, 1)),
    );
  }
  return indexes.get(folder);
}

/** Of `a, type b as c`: the names before (0) or after (1) `as`. */
function namesOf(list, side) {
  const items = list.split(",").map((item) => item.trim().replace(/^type\s+/, ""));
  return items.filter((item) => item !== "").map((item) => item.split(/\s+as\s+/).at(side === 0 ? 0 : -1));
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

const found = violations();
for (const line of found) process.stdout.write(`${line}\n`);
process.exitCode = found.length === 0 ? 0 : 1;
