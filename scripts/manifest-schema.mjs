// Writes docs/manifest.schema.json, the JSON Schema of manifests, from the compiled program: node scripts/manifest-schema.mjs [folder, default dist].
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./steps.mjs";

const compiled = resolve(root, process.argv[2] ?? "dist");
const { publishedSchema } = await import(
  pathToFileURL(join(compiled, "core/manifest/published-schema.js")).href
);
writeFileSync(join(root, "docs/manifest.schema.json"), `${JSON.stringify(publishedSchema(), null, 2)}\n`);
