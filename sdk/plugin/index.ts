export { z } from "zod";
export { bytesText, durationText, reading } from "./config-values.js";
export {
  type Host,
  isSkipPlugin,
  type KeyOptions,
  type PluginContext,
  SkipPlugin,
  type Target,
} from "./context.js";
export {
  definePlugin,
  type FailurePolicy,
  type Lifecycle,
  type PluginDefinition,
  type PluginSpec,
} from "./define-plugin.js";
export {
  type Dependencies,
  type Dependency,
  isOptional,
  optional,
  pointOf,
  type Requirements,
} from "./dependency.js";
export {
  type AnyExtensionPoint,
  type Cardinality,
  type ExtensionPoint,
  extensionPoint,
} from "./extension-point.js";
export { faultDomain } from "./fault-domain.js";
export { moduleParameters, problemOf } from "./module-parameters.js";
