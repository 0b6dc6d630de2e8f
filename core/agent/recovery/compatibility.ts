import type { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { attributeText, sameAttributes } from "../../../sdk/attributes/index.js";
import { Resources } from "../../../sdk/resources/index.js";

/** What of the agent changed since it got its id; with such changes masters would not know it again. Empty: nothing. */
export function incompatibilities(before: AgentInfo, now: AgentInfo): string[] {
  const problems: string[] = [];
  const differ = (what: string, old: unknown, current: unknown): void => {
    problems.push(`the ${what} changed from '${old}' to '${current}'`);
  };
  if (before.hostname !== now.hostname) differ("hostname", before.hostname, now.hostname);
  if (before.port !== now.port) differ("port", before.port, now.port);
  const had = Resources.of(before.resources);
  const has = Resources.of(now.resources);
  if (!had.equals(has)) differ("resources", had, has);
  if (!sameAttributes(before.attributes, now.attributes)) {
    differ(
      "attributes",
      before.attributes.map(attributeText).join(";"),
      now.attributes.map(attributeText).join(";"),
    );
  }
  return problems;
}
