import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../core/flags/package-root.js";

/** The version of this package. */
export const TEPUI_VERSION: string = (
  JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string }
).version;
