import { durationText } from "../plugin/config-values.js";

/** Below the path of a URL: where the masters that share a registry keep it. Other masters and tools pass over it. */
export const REGISTRY_NODE = "tepui_registry";

/** Schemas of the settings of registries that wait for somebody. */
export const registryTimeouts = {
  registry_fetch_timeout: durationText("1mins"),
  registry_store_timeout: durationText("20secs"),
};
