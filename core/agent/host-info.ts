import type { AgentInfo, Attribute, Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { parseAttributes } from "../../sdk/attributes/index.js";
import type { ResourceDetector } from "../../sdk/contracts/resource-detector.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { parseResourceList, parseResources, Resources } from "../../sdk/resources/index.js";
import type { AgentOptions } from "./options.js";

/** What the agent is, before any master gave it an id: what the flags say, and for the rest what the host has. */
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
    // Masters drop a registration that brings reservations along but does not say this.
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

/** A name that is given, if only as zero, is not detected. */
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
