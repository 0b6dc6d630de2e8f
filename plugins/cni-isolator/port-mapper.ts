import { isObject, type JsonObject, textsOf } from "./json.js";

/** Mesos's own plugin, which maps ports around another one, its delegate. */
const PORT_MAPPER = "mesos-cni-port-mapper";

export const isPortMapper = ({ type }: JsonObject): boolean => type === PORT_MAPPER;

/**
 * What a configuration of `mesos-cni-port-mapper` means in the words of today: its delegate, followed by `portmap`, which every
 * distribution of the CNI plugins brings. Files written for Mesos keep working, and its program need not be there.
 *
 * `chain` has no counterpart: `portmap` names its chains itself, and removes them with the last rule. Of several `excludeDevices` the
 * last one counts, as in Mesos.
 */
export function withoutPortMapper(config: JsonObject): { delegate: JsonObject; portmap: JsonObject } {
  const { delegate, chain, excludeDevices, args } = config;
  if (typeof chain !== "string") throw new Error(`its ${PORT_MAPPER} lacks the required field 'chain'`);
  if (!isObject(delegate)) throw new Error(`its ${PORT_MAPPER} lacks the required field 'delegate'`);
  if (excludeDevices !== undefined && !Array.isArray(excludeDevices)) {
    throw new Error(`the 'excludeDevices' of its ${PORT_MAPPER} is no list`);
  }
  const excluded = textsOf(excludeDevices).at(-1);
  return {
    delegate: args === undefined ? delegate : { ...delegate, args },
    portmap: {
      type: "portmap",
      capabilities: { portMappings: true },
      snat: true,
      ...(excluded !== undefined && { conditionsV4: ["!", "-i", excluded] }),
    },
  };
}
