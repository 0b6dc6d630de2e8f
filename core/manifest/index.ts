export { type ExplainedValue, explain, explainYaml, originText } from "./explain.js";
export { loadManifest } from "./load-manifest.js";
export { type DaemonOptions, type PreparedDaemon, prepareDaemon } from "./prepare-daemon.js";
export { publishedSchema } from "./published-schema.js";
export type { ShippedPlugins } from "./resolve-plugin.js";
export { shippedManifest } from "./shipped-manifest.js";
export { ManifestSource } from "./source.js";
