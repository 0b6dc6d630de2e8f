import { join } from "node:path";
import type { Target } from "../../sdk/plugin/index.js";
import { packageRoot } from "../flags/package-root.js";

/** The manifest that ships for a daemon. */
export const shippedManifest = (target: Target): string => join(packageRoot, "manifests", `${target}.yaml`);
