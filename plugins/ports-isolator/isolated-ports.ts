import { type Value_Range, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { parseResourceList, parseResources } from "../../sdk/resources/index.js";

/** What an agent offers that is not told its ports. */
const DEFAULT_PORTS: readonly Value_Range[] = [{ begin: 31_000, end: 32_000 }];

export interface IsolatedPortsFlags {
  readonly check_agent_port_range_only: boolean;
  readonly container_ports_isolated_range?: string | undefined;
  readonly resources?: string | undefined;
  readonly default_role: string;
}

/** The ports to look at; undefined: all. Throws an Error for flags that contradict each other or cannot be read. */
export function isolatedPorts(flags: IsolatedPortsFlags): readonly Value_Range[] | undefined {
  const range = flags.container_ports_isolated_range;
  if (flags.check_agent_port_range_only && range !== undefined) {
    throw new Error(
      "Only one of --check_agent_port_range_only or --container_ports_isolated_range should be specified",
    );
  }
  if (range !== undefined) return portsOf(range);
  return flags.check_agent_port_range_only ? agentPorts(flags) : undefined;
}

function agentPorts({ resources: text, default_role: role }: IsolatedPortsFlags): readonly Value_Range[] {
  const list = parseResourceList(text ?? "", role);
  if (!list.ok) throw new Error(`Failed to parse agent resources: ${list.error}`);
  // Told to have none is another thing than not told.
  if (!list.value.some(({ name }) => name === "ports")) return DEFAULT_PORTS;
  const resources = parseResources(text ?? "", role);
  if (!resources.ok) throw new Error(`Failed to parse agent resources: ${resources.error}`);
  return resources.value.ports;
}

function portsOf(text: string): readonly Value_Range[] {
  const list = parseResourceList(`ports:${text}`);
  const [ports] = list.ok ? list.value : [];
  if (ports?.type !== Value_Type.RANGES) {
    throw new Error(`Failed to parse isolated ports range '${text}', expecting ranges such as [31000-32000]`);
  }
  return ports.ranges?.range ?? [];
}
