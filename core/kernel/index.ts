export { checkDefinition, isPluginDefinition } from "./check-definition.js";
export { closest } from "./closest.js";
export type { KernelServices } from "./context.js";
export { graphToDot } from "./graph-dot.js";
export { Kernel, type KernelOptions } from "./kernel.js";
export { builtin, label, type PluginEntry } from "./plugin-entry.js";
export { maskSecrets } from "./secrets.js";
