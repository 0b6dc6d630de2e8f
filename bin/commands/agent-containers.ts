import * as codecs from "../../proto/gen/json/mesos/v1/agent/agent.js";
import type { Response_GetContainers_Container as Container } from "../../proto/gen/mesos/v1/agent/agent.js";
import { parseAddresses } from "../../sdk/client/index.js";
import { messageOf } from "../../sdk/errors/index.js";
import { containerName } from "../../sdk/ids/index.js";
import { table } from "./table.js";
import { AgentApi, AgentRefusal } from "./task/agent-api.js";

export interface AgentContainersOptions {
  /** `host:port`. */
  readonly agent: string;
  readonly json?: boolean;
}

const DEFAULT_PORT = 5051;

/** `tepui agent containers`: all containers of an agent, those within others and those of nobody too. */
export async function runAgentContainers(
  { agent, json }: AgentContainersOptions,
  { stdout, stderr }: { readonly stdout: NodeJS.WritableStream; readonly stderr: NodeJS.WritableStream },
): Promise<number> {
  try {
    const [address] = parseAddresses(agent, DEFAULT_PORT);
    const { protocol, host, port, prefix } = address!;
    const api = new AgentApi(`${protocol}//${host}:${port}${prefix}`);
    const all = { show_nested: true, show_standalone: true };
    const answer = await api.call({ type: "GET_CONTAINERS", get_containers: all });
    const response = codecs.Response.decode(answer);
    if (json === true) {
      stdout.write(`${codecs.Response.json.write(response)}\n`);
      return 0;
    }
    const containers = response.get_containers?.containers ?? [];
    const rows = containers.map(rowOf).toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    stdout.write(table(["CONTAINER", "EXECUTOR", "FRAMEWORK", "PID", "ADDRESS", "CPUS", "MEMORY"], rows));
    return 0;
  } catch (error) {
    const text = messageOf(error);
    const master = error instanceof AgentRefusal && text.includes("master::Call");
    stderr.write(
      `tepui agent containers: ${master ? `${agent} is a master; name an agent with --agent` : text}\n`,
    );
    return 1;
  }
}

/** What is not known is a dash: the container has just ended, or nothing measures it. */
function rowOf(container: Container): string[] {
  const { container_status: status, resource_statistics: statistics } = container;
  const addresses = (status?.network_infos ?? []).flatMap(({ ip_addresses }) =>
    ip_addresses.flatMap(({ ip_address: address }) => (address === undefined ? [] : [address])),
  );
  const [cpus, memory] = [statistics?.cpus_limit, statistics?.mem_rss_bytes];
  return [
    container.container_id === undefined ? "-" : containerName(container.container_id),
    container.executor_id?.value || "-",
    container.framework_id?.value || "-",
    status?.executor_pid === undefined ? "-" : String(status.executor_pid),
    addresses.join(",") || "-",
    cpus === undefined ? "-" : String(cpus),
    memory === undefined ? "-" : `${(Number(memory) / 2 ** 20).toFixed(1)} MB`,
  ];
}
