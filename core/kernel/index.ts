export { graphToDot } from "./graph-dot.js";
export { Kernel } from "./kernel.js";
export type { PluginEntry } from "./plugin-entry.js";
