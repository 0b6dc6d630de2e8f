import { Call_Type, Response_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import {
  type ResourceProviderInfo,
  CSIPluginContainerInfo_Service as Service,
} from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { CallHandler } from "./call-context.js";

const NOTHING: ResourceProviderInfo = { attributes: [], default_reservations: [] };
const STORAGE = "org.apache.mesos.rp.local.storage";

/** There is nowhere to keep a config: the answer of a Mesos that runs without the flag, which is refused here. */
const withoutDirectory: CallHandler = ({ reply }) =>
  reply.text(500, "Missing required flag --resource_provider_config_dir");

const checked =
  (read: (call: Parameters<CallHandler>[0]["call"]) => ResourceProviderInfo | undefined): CallHandler =>
  (context) => {
    const info = read(context.call) ?? NOTHING;
    const problem = problemOf(info);
    if (problem === undefined) return withoutDirectory(context);
    const named = `type '${info.type ?? ""}' and name '${info.name ?? ""}'`;
    throw new TepuiError("TEPUI_CALL_INVALID", {
      detail: `Failed to validate resource provider config with ${named}: ${problem}`,
    });
  };

/** The calls about local resource providers. This agent has none, as a Mesos agent without the flags for them. */
export const RESOURCE_PROVIDER_CALLS: { readonly [type: number]: CallHandler } = {
  [Call_Type.GET_RESOURCE_PROVIDERS]: ({ respond }) =>
    respond({
      type: Response_Type.GET_RESOURCE_PROVIDERS,
      get_resource_providers: { resource_providers: [] },
    }),
  [Call_Type.ADD_RESOURCE_PROVIDER_CONFIG]: checked((call) => call.add_resource_provider_config?.info),
  [Call_Type.UPDATE_RESOURCE_PROVIDER_CONFIG]: checked((call) => call.update_resource_provider_config?.info),
  [Call_Type.REMOVE_RESOURCE_PROVIDER_CONFIG]: withoutDirectory,
  [Call_Type.MARK_RESOURCE_PROVIDER_GONE]: ({ api, call, reply }) => {
    if (api.view.registered) {
      // Mesos has nothing against one that it does not know.
      reply.send(200);
      return;
    }
    const id = call.mark_resource_provider_gone?.resource_provider_id?.value ?? "";
    reply.text(500, `Could not mark resource provider '${id}' as gone: Agent has not registered yet`);
  },
};

/** In Mesos's words. Source: src/resource_provider/local.cpp, src/resource_provider/storage/provider.cpp. */
function problemOf({ type = "", name = "", storage }: ResourceProviderInfo): string | undefined {
  if (type !== STORAGE) return `Unknown local resource provider type '${type}'`;
  if (!isName(name)) return `Resource provider name '${name}' does not follow Java package naming convention`;
  if (storage === undefined) return "'ResourceProviderInfo.storage' must be set";
  const { type: pluginType = "", name: pluginName = "", containers = [] } = storage.plugin ?? {};
  if (!pluginType.split(".").every(isName) || !isName(pluginName)) {
    return `CSI plugin type '${pluginType}' and name '${pluginName}' does not follow Java package naming convention`;
  }
  if (containers.some(({ services }) => services.includes(Service.NODE_SERVICE))) return undefined;
  return "NODE_SERVICE not found";
}

const isName = (text: string): boolean => /^\w+$/.test(text);
