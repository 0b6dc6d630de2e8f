import { join } from "node:path";
import { packageRoot } from "../../../core/flags/package-root.js";

export const fixturePath = (name: string): string => join(packageRoot, "test/core/flags/fixtures", name);
