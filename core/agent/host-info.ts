import type { AgentInfo, Attribute, Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { parseAttributes } from "../../sdk/attributes/index.js";
import type { ResourceDetector } from "../../sdk/contracts/resource-detector.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { parseResourceList, parseResources, Resources } from "../../sdk/resources/index.js";
import type { AgentOptions } from "./options.js";

/** The AgentInfo before a master has assigned an id: from the flags or, where they say nothing, from the host. */
export async function hostInfo(options: {
  agent: AgentOptions;
  detectors: readonly ResourceDetector[];
  hostname: string;
  port: number;
}): Promise<AgentInfo> {
  const { agent, detectors } = options;
  return {
    hostname: options.hostname,
    port: options.port,
    resources: (await totalResources(agent, detectors)).toMessages(),
    attributes: attributesOf(agent.attributes),
    domain: agent.domain,
    // Masters drop a registration that includes reservations but lacks this.
    checkpoint: true,
  };
}

async function totalResources(
  agent: AgentOptions,
  detectors: readonly ResourceDetector[],
): Promise<Resources> {
  const given = parseGiven(agent);
  const found: Resource[] = [];
  for (const detector of detectors) {
    found.push(...(await detector.detect({ workDir: agent.workDir, given: given.names })));
  }
  return given.resources.add(Resources.of(found));
}

/** A resource that is given, even as zero, is not detected. */
function parseGiven(agent: AgentOptions): { resources: Resources; names: ReadonlySet<string> } {
  const text = agent.resources ?? "";
  const list = parseResourceList(text, agent.defaultRole);
  const resources = parseResources(text, agent.defaultRole);
  if (!list.ok) throw new TepuiError("TEPUI_AGENT_RESOURCES_INVALID", { detail: list.error });
  if (!resources.ok) throw new TepuiError("TEPUI_AGENT_RESOURCES_INVALID", { detail: resources.error });
  return { resources: resources.value, names: new Set(list.value.map(({ name }) => name ?? "")) };
}

function attributesOf(text: string | undefined): Attribute[] {
  const attributes = parseAttributes(text ?? "");
  if (!attributes.ok) throw new TepuiError("TEPUI_AGENT_RESOURCES_INVALID", { detail: attributes.error });
  return attributes.value;
}
