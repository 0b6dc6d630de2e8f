import { isObject, type JsonObject } from "./json.js";
import { isPortMapper, withoutPortMapper } from "./port-mapper.js";

/** One network, as a file of `--network_cni_config_dir` describes it: a chain of plugins, mostly of one. */
export interface NetworkConfig {
  readonly name: string;
  /** As the file says it; absent where it says none, which plugins take for 0.1.0. */
  readonly cniVersion: string | undefined;
  /** In the order of ADD; each has a `type`. */
  readonly plugins: readonly PluginConfig[];
}

export interface PluginConfig extends JsonObject {
  readonly type: string;
}

/** Reserved for what Mesos tells plugins, see docs/cni.md of Mesos. */
export const MESOS_ARGS = "org.apache.mesos";

/**
 * Reads a network configuration (one plugin) or a list (`plugins`, CNI 0.3.0 and later), whatever the file's name. Throws an Error that
 * says what is wrong with it.
 */
export function parseNetworkConfig(text: string): NetworkConfig {
  const config = parsed(text);
  const { name, cniVersion, plugins } = config;
  if (typeof name !== "string" || name === "") throw new Error("it has no 'name'");
  if (cniVersion !== undefined && typeof cniVersion !== "string")
    throw new Error("its 'cniVersion' is no text");
  if (plugins === undefined) return network(name, cniVersion, [config]);
  if (!Array.isArray(plugins) || plugins.length === 0) throw new Error("its 'plugins' is no list of plugins");
  return network(name, cniVersion, plugins);
}

/** Every program that ADD and DEL of this network call: its plugins, and those that hand out addresses for them. */
export function programsOf({ plugins }: NetworkConfig): string[] {
  const found = new Set<string>();
  for (const { type, ipam } of plugins) {
    found.add(type);
    if (isObject(ipam) && typeof ipam.type === "string" && ipam.type !== "") found.add(ipam.type);
  }
  return [...found];
}

function parsed(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isObject(value)) throw new Error("it is not a JSON object");
  return value;
}

function network(name: string, version: string | undefined, given: readonly unknown[]): NetworkConfig {
  const plugins: PluginConfig[] = [];
  let cniVersion = version;
  for (const plugin of given.map(checked)) {
    if (!isPortMapper(plugin)) {
      plugins.push(plugin);
      continue;
    }
    const { delegate, portmap } = withoutPortMapper(plugin);
    const own = checked(delegate);
    if (typeof own.cniVersion === "string") cniVersion ??= own.cniVersion;
    plugins.push(own, checked(portmap));
  }
  return { name, cniVersion, plugins };
}

function checked(plugin: unknown): PluginConfig {
  if (!isObject(plugin)) throw new Error("it has a plugin that is no JSON object");
  const { type, args } = plugin;
  if (typeof type !== "string" || type === "") throw new Error("it has a plugin without 'type'");
  // A type is the name of a file in the plugins' directories, and no way out of them.
  if (/[/\0]/.test(type) || type === "." || type === "..")
    throw new Error(`it has the plugin type '${type}'`);
  if (args !== undefined && !isObject(args)) throw new Error("its 'args' is no JSON object");
  if (isObject(args) && args[MESOS_ARGS] !== undefined) {
    throw new Error(`its 'args' has '${MESOS_ARGS}', which is reserved by Mesos`);
  }
  return { ...plugin, type };
}
