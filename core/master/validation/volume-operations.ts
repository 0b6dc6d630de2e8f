import {
  AgentInfo_Capability_Type as AgentCapability,
  Resource_DiskInfo_Source_Type as DiskSource,
  FrameworkInfo_Capability_Type as FrameworkCapability,
  type Offer_Operation_Create,
  type Offer_Operation_GrowVolume,
  type Offer_Operation_ShrinkVolume,
  type Resource,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  entryOf,
  hasRefinedReservations,
  Resources,
  resourceText,
  toMilli,
  validatePersistentVolumes,
  validateResource,
  validateSingleAllocationRole,
  validateSingleProvider,
  validateUniquePersistenceIds,
  validateUsedResources,
} from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import { type OperationTarget, roleOf } from "./operation-target.js";
import { first, invalid } from "./text.js";

export function validateCreate(
  { volumes }: Offer_Operation_Create,
  target: OperationTarget,
): string | undefined {
  const { agent, framework } = target;
  return (
    invalid("resources", validateUsedResources(volumes)) ??
    invalid("resources", volumes.length > 0 ? validateSingleProvider(volumes) : undefined) ??
    notVolumes(volumes) ??
    // One by one: two shared volumes with the same id would add up to copies of one volume.
    validateUniquePersistenceIds([...agent.checkpointed, ...volumes.map(entryOf)]) ??
    first(volumes, (volume) => validateVolume(volume, target)) ??
    (framework === undefined
      ? undefined
      : invalid("volume resources", validateSingleAllocationRole(Resources.of(volumes))))
  );
}

const notVolumes = (volumes: readonly Resource[]): string | undefined => {
  const problem = validatePersistentVolumes(volumes);
  return problem === undefined ? undefined : `Not a persistent volume: ${problem}`;
};

function validateVolume(
  volume: Resource,
  { agent, framework, principal }: OperationTarget,
): string | undefined {
  const text = resourceText(volume);
  if (
    volume.shared !== undefined &&
    framework !== undefined &&
    !framework.can(FrameworkCapability.SHARED_RESOURCES)
  ) {
    return `Create volume operation for '${text}' has been attempted by framework '${framework.id}' with no SHARED_RESOURCES capability`;
  }
  const role = roleOf(volume);
  if (!agent.can(AgentCapability.HIERARCHICAL_ROLE) && role.includes("/")) {
    return `Volume ${text} with reservation for hierarchical role '${role}' cannot be created on an agent without HIERARCHICAL_ROLE capability`;
  }
  if (!agent.can(AgentCapability.RESERVATION_REFINEMENT) && hasRefinedReservations(volume)) {
    return `Volume ${text} with reservation refinement cannot be created on an agent without RESERVATION_REFINEMENT capability`;
  }
  if (principal === undefined) return undefined;
  const creator = volume.disk?.persistence?.principal;
  if (creator === undefined) {
    return `Create volume operation attempted by principal '${principal}', but there is a volume in the operation with no principal set in 'disk.persistence'`;
  }
  return creator === principal
    ? undefined
    : `Create volume operation attempted by authenticated principal '${principal}', which does not match a volume in the operation with principal '${creator}' set in 'disk.persistence'`;
}

export function validateDestroy(allocated: readonly Resource[], agent: Agent): string | undefined {
  const volumes = allocated.map(({ allocation_info: _, ...volume }) => volume);
  const problem =
    invalid("resources", validateUsedResources(volumes)) ??
    invalid("resources", volumes.length > 0 ? validateSingleProvider(volumes) : undefined) ??
    notVolumes(volumes);
  if (problem !== undefined) return problem;
  const each = volumes.map((volume) => Resources.of([volume]));
  const { checkpointed } = agent;
  const unknown = each.some((one) => !providedElsewhere(one) && !checkpointed.contains(one));
  if (unknown) return "Persistent volumes not found";
  for (const used of agent.usedByFramework.values()) {
    const plain = used.unallocate();
    if (each.some((one) => plain.contains(one))) return "Persistent volumes in use";
  }
  return undefined;
}

const providedElsewhere = (resources: Resources): boolean =>
  resources.entries.some(({ kind }) => kind.providerId !== undefined);

export function validateGrow(
  { volume, addition }: Offer_Operation_GrowVolume,
  agent: Agent,
): string | undefined {
  if (volume === undefined || addition === undefined) return "'volume' and 'addition' must be set";
  let problem = validateResource(volume);
  if (problem !== undefined) return `Invalid resource in the 'GrowVolume.volume' field: ${problem}`;
  problem = validateResource(addition);
  if (problem !== undefined) return `Invalid resource in the 'GrowVolume.addition' field: ${problem}`;
  if (toMilli(addition.scalar?.value ?? 0) <= 0) {
    return "The size of 'GrowVolume.addition' field must be greater than zero";
  }
  if (volume.provider_id !== undefined) return "Growing a volume from a resource provider is not supported";
  problem = validatePersistentVolumes([volume]);
  if (problem !== undefined) return `Invalid persistent volume in the 'GrowVolume.volume' field: ${problem}`;
  if (volume.shared !== undefined) return "Growing a shared persistent volume is not supported";
  const { disk: _, ...root } = volume;
  const source = volume.disk?.source;
  const stripped: Resource = source === undefined ? root : { ...root, disk: { source } };
  if (Resources.of([stripped, addition]).size !== 1) {
    return "Incompatible resources in the 'GrowVolume.volume' and 'GrowVolume.addition' fields";
  }
  return agent.can(AgentCapability.RESIZE_VOLUME)
    ? undefined
    : `Volume ${resourceText(volume)} cannot be grown on an agent without RESIZE_VOLUME capability`;
}

export function validateShrink(
  { volume, subtract }: Offer_Operation_ShrinkVolume,
  agent: Agent,
): string | undefined {
  if (volume === undefined || subtract === undefined) return "'volume' and 'subtract' must be set";
  let problem = validateResource(volume);
  if (problem !== undefined) return `Invalid resource in the 'ShrinkVolume.volume' field: ${problem}`;
  const milli = toMilli(subtract.value ?? 0);
  // Also false for NaN.
  if (!(milli > 0)) return "Value of 'ShrinkVolume.subtract' must be greater than zero";
  if (toMilli(volume.scalar?.value ?? 0) <= milli) {
    return "Value of 'ShrinkVolume.subtract' must be smaller than the size of 'ShrinkVolume.volume'";
  }
  if (volume.provider_id !== undefined) return "Shrinking a volume from a resource provider is not supported";
  if (volume.disk?.source?.type === DiskSource.MOUNT) {
    return "Shrinking a volume on a MOUNT disk is not supported";
  }
  problem = validatePersistentVolumes([volume]);
  if (problem !== undefined)
    return `Invalid persistent volume in the 'ShrinkVolume.volume' field: ${problem}`;
  if (volume.shared !== undefined) return "Shrinking a shared persistent volume is not supported";
  return agent.can(AgentCapability.RESIZE_VOLUME)
    ? undefined
    : `Volume ${resourceText(volume)} cannot be shrunk on an agent without RESIZE_VOLUME capability`;
}
