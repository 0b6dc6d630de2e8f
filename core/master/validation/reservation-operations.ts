import {
  AgentInfo_Capability_Type as AgentCapability,
  type Offer_Operation_Reserve,
  type Resource,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  entryOf,
  hasRefinedReservations,
  Resources,
  resourceText,
  validateSingleAllocationRole,
  validateSingleProvider,
  validateUsedResources,
} from "../../../sdk/resources/index.js";
import type { Framework } from "../frameworks/framework.js";
import { type OperationTarget, roleOf } from "./operation-target.js";
import { first, invalid, setText } from "./text.js";

export function validateReserve(
  reserve: Offer_Operation_Reserve,
  target: OperationTarget,
): string | undefined {
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

/** Source and target must be the same quantities, and each side must have one uniform stack of reservations. */
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

/** A placeholder resource, to compare two stacks of reservations. */
const STACK_ONLY: Resource = { name: "stack", type: 0, scalar: { value: 1 }, reservations: [] };

function validateReserved(resource: Resource, target: OperationTarget): string | undefined {
  const text = resourceText(resource);
  const kind = entryOf(resource).kind;
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

/** A framework may only reserve for the role in which it was offered the resources. */
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

export function validateUnreserve(resources: readonly Resource[]): string | undefined {
  return (
    invalid("resources", validateUsedResources(resources)) ??
    invalid("resources", resources.length > 0 ? validateSingleProvider(resources) : undefined) ??
    first(resources, (resource) => {
      const kind = entryOf(resource).kind;
      if (!kind.dynamicallyReserved) return `Resource ${resourceText(resource)} is not dynamically reserved`;
      return kind.persistentVolume
        ? `A dynamically reserved persistent volume ${resourceText(resource)} cannot be unreserved directly. Please destroy the persistent volume first then unreserve the resource`
        : undefined;
    })
  );
}
