import { type CapabilityInfo, CapabilityInfo_Capability } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { TepuiError } from "../../sdk/errors/index.js";

/** Names of capabilities, without `CAP_`. */
export type CapabilitySet = ReadonlySet<string>;

/** What the operator allows; undefined: no limit, or no default. */
export interface CapabilityPolicy {
  /** Of containers that ask for none. */
  readonly effective: CapabilitySet | undefined;
  readonly bounding: CapabilitySet | undefined;
}

export const ALL_CAPABILITIES: CapabilitySet = new Set(
  Object.entries(CapabilityInfo_Capability)
    .filter(([, value]) => typeof value === "number" && value >= CapabilityInfo_Capability.CHOWN)
    .map(([name]) => name),
);

interface Granted {
  readonly effective: CapabilitySet | undefined;
  readonly bounding: CapabilitySet;
}

/**
 * What a container gets: what it asks for, within what the operator allows; undefined: nothing is to be set. Throws
 * TEPUI_CONTAINER_LAUNCH_FAILED for what is not allowed.
 */
export function grantedCapabilities(
  request: ContainerRequest,
  policy: CapabilityPolicy,
): Granted | undefined {
  const linux = request.container?.linux_info;
  if (linux?.capability_info !== undefined && linux.effective_capabilities !== undefined) {
    throw refused("Only one of 'capability_info' or 'effective_capabilities' is allowed");
  }
  const asked = linux?.effective_capabilities ?? linux?.capability_info;
  const effective = asked === undefined ? policy.effective : setOf(asked);
  const askedBounding = linux?.bounding_capabilities && setOf(linux.bounding_capabilities);
  if (askedBounding !== undefined && policy.bounding !== undefined) {
    within(askedBounding, { allowed: policy.bounding, what: "Bounding" });
  }
  const bounding = askedBounding ?? policy.bounding ?? effective;
  if (bounding === undefined) return undefined;
  if (effective !== undefined) within(effective, { allowed: bounding, what: "Requested" });
  return { effective, bounding };
}

/** `linux/capabilities`: containers have no more capabilities than they ask for and the operator allows. */
export class CapabilitiesIsolator implements Isolator {
  readonly name = "linux/capabilities";
  readonly nesting = true;

  constructor(private readonly policy: CapabilityPolicy) {}

  async prepare(request: ContainerRequest): Promise<Contribution | undefined> {
    const granted = grantedCapabilities(request, this.policy);
    if (granted === undefined) return undefined;
    const { effective, bounding } = granted;
    return {
      capabilities: {
        bounding: [...bounding],
        ...(effective !== undefined && { effective: [...effective] }),
      },
    };
  }
}

function setOf({ capabilities }: CapabilityInfo): CapabilitySet {
  return new Set(
    capabilities.map((capability) => {
      const name = CapabilityInfo_Capability[capability];
      if (name === undefined || capability === CapabilityInfo_Capability.UNKNOWN) {
        throw refused(`there is no capability ${capability}`);
      }
      return name;
    }),
  );
}

function within(wanted: CapabilitySet, { allowed, what }: { allowed: CapabilitySet; what: string }): void {
  if ([...wanted].every((name) => allowed.has(name))) return;
  throw refused(`${what} capabilities '${listOf(wanted)}', but only '${listOf(allowed)}' are allowed`);
}

const listOf = (set: CapabilitySet): string => `{ ${[...set].join(", ")} }`;
const refused = (detail: string): TepuiError => new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
