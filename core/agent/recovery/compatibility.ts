import { type AgentInfo, type Attribute, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { attributeText, sameAttributes } from "../../../sdk/attributes/index.js";
import { Resources } from "../../../sdk/resources/index.js";

/**
 * How an agent may differ from its earlier run and still be the same agent:
 * - `equal`: not at all.
 * - `additive`: it may have more.
 * - `any`: its resources and attributes may change, and shrink. What runs keeps running, even if it no longer fits.
 *
 * Its address must never change, because masters would not recognize it.
 */
export const RECONFIGURATION_POLICIES = ["equal", "additive", "any"] as const;

export type ReconfigurationPolicy = (typeof RECONFIGURATION_POLICIES)[number];

/** The changes that the policy does not allow; empty: none. */
export function incompatibilities(
  policy: ReconfigurationPolicy,
  before: AgentInfo,
  now: AgentInfo,
): readonly string[] {
  const problems: string[] = [];
  const differ = (what: string, old: unknown, current: unknown): void => {
    problems.push(`the ${what} changed from '${old}' to '${current}'`);
  };
  if (before.hostname !== now.hostname) differ("hostname", before.hostname, now.hostname);
  if (before.port !== now.port) differ("port", before.port, now.port);
  // An agent without a domain may gain one.
  if (policy !== "any" && (before.domain !== undefined || policy === "equal") && !sameDomain(before, now))
    differ("domain", domainText(before), domainText(now));
  const had = Resources.of(before.resources);
  const has = Resources.of(now.resources);
  if (policy === "equal") {
    if (!had.equals(has)) differ("resources", had, has);
    if (!sameAttributes(before.attributes, now.attributes))
      differ("attributes", textOf(before.attributes), textOf(now.attributes));
  }
  if (policy === "additive") {
    const missing = had.subtract(has);
    if (!missing.isEmpty) problems.push(`of the resources '${had}' these are gone: '${missing}'`);
    for (const attribute of before.attributes) {
      if (!now.attributes.some((other) => covers(other, attribute)))
        problems.push(`the attribute '${attributeText(attribute)}' is gone or has another value`);
    }
  }
  return problems;
}

/** Whether anything changed, allowed or not. */
export const isReconfigured = (before: AgentInfo, now: AgentInfo): boolean =>
  incompatibilities("equal", before, now).length > 0;

/** The same attribute; ranges may have grown. */
function covers(now: Attribute, before: Attribute): boolean {
  if (now.name !== before.name || now.type !== before.type) return false;
  if (before.type !== Value_Type.RANGES) return sameAttributes([now], [before]);
  const ranges = ({ ranges: value }: Attribute) =>
    Resources.of([
      { name: "ranges", type: Value_Type.RANGES, ranges: value ?? { range: [] }, reservations: [] },
    ]);
  return ranges(now).contains(ranges(before));
}

const domainText = ({ domain }: AgentInfo): string => {
  const { region, zone } = domain?.fault_domain ?? {};
  return domain === undefined ? "none" : `${region?.name ?? ""}/${zone?.name ?? ""}`;
};

const sameDomain = (left: AgentInfo, right: AgentInfo): boolean => domainText(left) === domainText(right);

const textOf = (attributes: readonly Attribute[]): string => attributes.map(attributeText).join(";");
