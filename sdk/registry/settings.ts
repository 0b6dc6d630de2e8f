import { durationText } from "../plugin/config-values.js";

/** Where masters that share a registry keep it, below the path of the URL. Other masters and tools ignore it. */
export const REGISTRY_NODE = "tepui_registry";

/** Schemas of the timeout settings that registries have in common. */
export const registryTimeouts = {
  registry_fetch_timeout: durationText("1mins"),
  registry_store_timeout: durationText("20secs"),
};
