import {
  AgentInfo_Capability_Type as AgentCapability,
  Resource_DiskInfo_Source_Type as DiskSource,
  FrameworkInfo_Capability_Type as FrameworkCapability,
  type Offer_Operation,
  type Offer_Operation_Create,
  type Offer_Operation_CreateDisk,
  type Offer_Operation_DestroyDisk,
  type Offer_Operation_GrowVolume,
  type Offer_Operation_Reserve,
  type Offer_Operation_ShrinkVolume,
  Offer_Operation_Type as OperationType,
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
import type { Agent } from "../agent.js";
import type { Framework } from "../framework.js";
import { setText } from "./text.js";

/** Who asks for an operation, and where it is to be done. */
export interface OperationTarget {
  readonly agent: Agent;
  /** Undefined: an operator asks. */
  readonly framework: Framework | undefined;
  /** Undefined: anybody, as nobody is authenticated. */
  readonly principal: string | undefined;
}

/**
 * What is wrong with an offer operation, in Mesos's words and in the order in which Mesos looks. Its resources are valid each by itself,
 * and in the post-refinement format.
 *
 * Source: src/master/validation.cpp, namespace `operation`.
 */
export function validateOperation(operation: Offer_Operation, target: OperationTarget): string | undefined {
  switch (operation.type) {
    case OperationType.RESERVE:
      return validateReserve(operation.reserve!, target);
    case OperationType.UNRESERVE:
      return validateUnreserve(operation.unreserve!.resources);
    case OperationType.CREATE:
      return validateCreate(operation.create!, target);
    case OperationType.DESTROY:
      return validateDestroy(operation.destroy!.volumes, target.agent);
    case OperationType.GROW_VOLUME:
      return validateGrow(operation.grow_volume!, target.agent);
    case OperationType.SHRINK_VOLUME:
      return validateShrink(operation.shrink_volume!, target.agent);
    case OperationType.CREATE_DISK:
      return validateCreateDisk(operation.create_disk!);
    case OperationType.DESTROY_DISK:
      return validateDestroyDisk(operation.destroy_disk!);
    default:
      return "Unknown offer operation";
  }
}

const invalid = (what: string, problem: string | undefined): string | undefined =>
  problem === undefined ? undefined : `Invalid ${what}: ${problem}`;

const entryKind = (message: Resource) => entryOf(message).kind;

const roleOf = (message: Resource): string => entryKind(message).reservationRole ?? "*";

function validateReserve(reserve: Offer_Operation_Reserve, target: OperationTarget): string | undefined {
  const { source, resources } = reserve;
  return (
    invalid("resources", validateUsedResources(resources)) ??
    invalid("source", validateUsedResources(source)) ??
    (source.length > 0 ? validateSource(reserve) : undefined) ??
    invalid("resources", resources.length > 0 ? validateSingleProvider(resources) : undefined) ??
    first(resources, (resource) => validateReserved(resource, target)) ??
    (target.framework === undefined
      ? undefined
      : invalid("reservation resources", validateSingleAllocationRole(Resources.of(resources))))
  );
}

/** What is reserved anew must be the same resources, alike reserved before and alike afterwards. */
function validateSource({ source, resources }: Offer_Operation_Reserve): string | undefined {
  const problem = invalid("source", validateAlike(source)) ?? invalid("resources", validateAlike(resources));
  if (problem !== undefined) return problem;
  const [before, after] = [Resources.of(source).toUnreserved(), Resources.of(resources).toUnreserved()];
  return before.equals(after)
    ? undefined
    : `Source and target resources should refer to identical resource quantities: ${before} vs. ${after}`;
}

function validateAlike(resources: readonly Resource[]): string | undefined {
  const [head] = resources;
  if (head === undefined) return "Resource cannot be empty";
  const stack = (message: Resource) => Resources.of([{ ...STACK_ONLY, reservations: message.reservations }]);
  const expected = stack(head);
  return resources.every((message) => stack(message).equals(expected))
    ? undefined
    : `Mixed reservations are not supported${resources.map(resourceText).join("; ")}`;
}

/** A resource that differs from another one of its kind only by its reservations. */
const STACK_ONLY: Resource = { name: "stack", type: 0, scalar: { value: 1 }, reservations: [] };

function validateReserved(resource: Resource, target: OperationTarget): string | undefined {
  const text = resourceText(resource);
  const kind = entryKind(resource);
  if (!kind.dynamicallyReserved) return `Resource ${text} is not dynamically reserved`;
  const { agent, framework } = target;
  const role = roleOf(resource);
  if (!agent.can(AgentCapability.HIERARCHICAL_ROLE) && role.includes("/")) {
    return `Resource ${text} with reservation for hierarchical role '${role}' cannot be reserved on an agent without HIERARCHICAL_ROLE capability`;
  }
  if (!agent.can(AgentCapability.RESERVATION_REFINEMENT) && hasRefinedReservations(resource)) {
    return `Resource ${text} with reservation refinement cannot be reserved on an agent without RESERVATION_REFINEMENT capability`;
  }
  const wrong = validatePrincipal(resource, target);
  if (wrong !== undefined) return wrong;
  if (framework !== undefined) return validateFrameworkRole(resource, framework);
  return resource.allocation_info === undefined
    ? undefined
    : "A reserve operation was attempted with an allocated resource, but the operator API only allows reservations to be made to unallocated resources";
}

function validatePrincipal(resource: Resource, { principal }: OperationTarget): string | undefined {
  if (principal === undefined) return undefined;
  const reserver = resource.reservations.at(-1)?.principal;
  if (reserver === undefined) {
    return `A reserve operation was attempted by principal '${principal}', but there is a reserved resource in the request with no principal set`;
  }
  return reserver === principal
    ? undefined
    : `A reserve operation was attempted by authenticated principal '${principal}', which does not match a reserved resource in the request with principal '${reserver}'`;
}

/** Frameworks reserve for the role in which they were offered the resources. */
function validateFrameworkRole(resource: Resource, { roles }: Framework): string | undefined {
  const allocated = resource.allocation_info?.role;
  const reserved = roleOf(resource);
  if (allocated === undefined) {
    return `A reserve operation was attempted on unallocated resource ${resourceText(resource)}, but frameworks can only perform reservations on allocated resources`;
  }
  if (allocated !== reserved) {
    return `A reserve operation was attempted for a resource with role '${reserved}', but the resource was allocated to role '${allocated}'`;
  }
  return roles.includes(allocated)
    ? undefined
    : `A reserve operation was attempted for a resource allocated to role '${allocated}', but the framework only has roles '${setText(roles)}'`;
}

function validateUnreserve(resources: readonly Resource[]): string | undefined {
  return (
    invalid("resources", validateUsedResources(resources)) ??
    invalid("resources", resources.length > 0 ? validateSingleProvider(resources) : undefined) ??
    first(resources, (resource) => {
      const kind = entryKind(resource);
      if (!kind.dynamicallyReserved) return `Resource ${resourceText(resource)} is not dynamically reserved`;
      return kind.persistentVolume
        ? `A dynamically reserved persistent volume ${resourceText(resource)} cannot be unreserved directly. Please destroy the persistent volume first then unreserve the resource`
        : undefined;
    })
  );
}

function validateCreate({ volumes }: Offer_Operation_Create, target: OperationTarget): string | undefined {
  const { agent, framework } = target;
  return (
    invalid("resources", validateUsedResources(volumes)) ??
    invalid("resources", volumes.length > 0 ? validateSingleProvider(volumes) : undefined) ??
    notVolumes(volumes) ??
    // One by one: two shared volumes of one id would add up to copies of one.
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

function validateDestroy(allocated: readonly Resource[], agent: Agent): string | undefined {
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

function validateGrow({ volume, addition }: Offer_Operation_GrowVolume, agent: Agent): string | undefined {
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

function validateShrink(
  { volume, subtract }: Offer_Operation_ShrinkVolume,
  agent: Agent,
): string | undefined {
  if (volume === undefined || subtract === undefined) return "'volume' and 'subtract' must be set";
  let problem = validateResource(volume);
  if (problem !== undefined) return `Invalid resource in the 'ShrinkVolume.volume' field: ${problem}`;
  const milli = toMilli(subtract.value ?? 0);
  // Also false for a number that is none.
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

function validateCreateDisk(create: Offer_Operation_CreateDisk): string | undefined {
  const { source, target_type: type, target_profile: profile } = create;
  if (source === undefined) return "'source' must be set";
  const problem = validateUsedResources([source]);
  if (problem !== undefined) return `Invalid resource: ${problem}`;
  if (source.provider_id === undefined) return "'source' is not managed by a resource provider";
  if (source.disk?.source?.type !== DiskSource.RAW) return "'source' is not a RAW disk resource";
  if (type !== DiskSource.MOUNT && type !== DiskSource.BLOCK) {
    return "'target_type' is neither MOUNT or BLOCK";
  }
  if ((source.disk.source.profile !== undefined) !== (profile !== undefined)) return undefined;
  return profile === undefined
    ? "'target_profile' must be set when 'source' has no profile"
    : "'target_profile' must not be set when 'source' has a profile";
}

function validateDestroyDisk({ source }: Offer_Operation_DestroyDisk): string | undefined {
  if (source === undefined) return "'source' must be set";
  const problem = validateUsedResources([source]);
  if (problem !== undefined) return `Invalid resource: ${problem}`;
  if (source.provider_id === undefined) return "'source' is not managed by a resource provider";
  const type = source.disk?.source?.type;
  if (type !== DiskSource.MOUNT && type !== DiskSource.BLOCK && type !== DiskSource.RAW) {
    return "'source' is neither a MOUNT, BLOCK or RAW disk resource";
  }
  if (source.disk?.source?.id === undefined) return "'source' is not backed by a CSI volume";
  return source.disk.persistence === undefined
    ? undefined
    : `A disk resource containing a persistent volume ${resourceText(source)} cannot be destroyed directly. Please destroy the persistent volume first then destroy the disk resource`;
}

function first<T>(items: readonly T[], problemOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const problem = problemOf(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
